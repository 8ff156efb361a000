"""Reads of documents: what each kind says, for many clients in a fixed number of statements."""
