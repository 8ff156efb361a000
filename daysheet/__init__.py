"""Daysheet: billing for behavioural-health practices."""

__version__ = "0.1.0"
