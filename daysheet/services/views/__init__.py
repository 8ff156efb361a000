"""The pages of service types and prices."""
