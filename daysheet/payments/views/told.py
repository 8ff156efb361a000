"""What a person is told beside that the money is saved: that its day is closed (M10, docs/adr/0005), or that its number
was used before (M5)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest

from daysheet.kit.dates import us_date
from daysheet.kit.money import Money
from daysheet.ledger.books import first_open_day
from daysheet.practices.actor import Actor

from ..queries.accepting import payments_with_number


def tell_posting_day(request: HttpRequest, actor: Actor, received_on: date) -> None:
    """Say on which day it was posted, where that is not the day it was received on."""
    open_on = first_open_day(actor)
    if open_on and received_on < open_on:
        messages.info(
            request,
            f"{us_date(received_on)} is closed. The payment keeps this date and is posted on {us_date(open_on)}, "
            "the first open day.",
        )


def tell_same_number(request: HttpRequest, actor: Actor, payment_id: UUID) -> None:
    """Warn where the number was used before; it never blocks."""
    for other in payments_with_number(actor, payment_id)[:1]:
        messages.warning(
            request,
            f"The same number is on a payment of {Money(other.amount_cents)} from {other.from_name}, "
            f"{us_date(other.received_on)}. Both are kept.",
        )
