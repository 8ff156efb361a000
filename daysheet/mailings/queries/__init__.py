"""Reads of runs: who could get a document, and what became of those who were chosen."""
