"""The hot paths, each beside the plain SQL that does the same on the same data."""
