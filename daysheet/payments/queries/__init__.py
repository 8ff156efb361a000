"""Reads of payments, one module per page."""
