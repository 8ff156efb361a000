"""Reads of the reports. Every figure is a sum over the same entries (M8)."""
