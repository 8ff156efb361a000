"""Reads of invoicing, one module per page."""
