"""The demo practice: made through the same imports, batches and payments as anybody's data."""

from __future__ import annotations

from .load import DemoInTheWay, DemoLogins, load_demo

__all__ = ["DemoInTheWay", "DemoLogins", "load_demo"]
