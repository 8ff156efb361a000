"""All data of one practice as documented CSV files in a ZIP, and back again: the practice owns its data."""
