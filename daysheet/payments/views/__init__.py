"""Pages of payments, one module per page."""
