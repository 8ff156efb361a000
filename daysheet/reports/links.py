"""Addresses with their filters: where a figure of a report leads."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from daysheet.practices.actor import Actor
from daysheet.web.pages import practice_url


def report_url(actor: Actor, name: str, **asked: object) -> str:
    """The page of a report with these filters; None is left out."""
    url = practice_url(actor, f"reports:{name}")
    given = {
        key: value.isoformat() if isinstance(value, date) else str(value)
        for key, value in asked.items()
        if value is not None
    }
    return f"{url}?{urlencode(given)}" if given else url


def client_url(actor: Actor, client_id: UUID | None) -> str:
    """A client's ledger."""
    return practice_url(actor, "payments:ledger", client=client_id) if client_id else ""


def payment_url(actor: Actor, payment_id: UUID | None) -> str:
    """The page of a payment."""
    return practice_url(actor, "payments:payment", payment=payment_id) if payment_id else ""


def invoice_url(actor: Actor, number: int | None) -> str:
    """The page of an invoice."""
    return practice_url(actor, "invoicing:invoice", number=number) if number else ""
