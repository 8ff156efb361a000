"""Pages of invoicing, one module per page."""
