"""Backup files: taken while the application works, proven by restoring them, restored on an empty machine."""
