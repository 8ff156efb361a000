"""What an invoice is called: Open, Paid, Void or Overdue, in one function for every page. No database, no clock."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

#: An invoice is overdue when something is still open this long after its issue date.
DUE_AFTER = timedelta(days=30)


class InvoiceStatus(StrEnum):
    """The label that people read. It is computed, never stored."""

    OPEN = "Open"
    PAID = "Paid"
    VOID = "Void"
    OVERDUE = "Overdue"


def invoice_status(*, is_void: bool, open_cents: int, issued_on: date, today: date) -> InvoiceStatus:
    """`open_cents` is what both sides still owe. Both at zero is fully paid, a zero-amount invoice at birth (C5)."""
    if is_void:
        return InvoiceStatus.VOID
    if open_cents == 0:
        return InvoiceStatus.PAID
    return InvoiceStatus.OVERDUE if today > issued_on + DUE_AFTER else InvoiceStatus.OPEN
