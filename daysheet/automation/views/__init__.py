"""Pages of automation."""
