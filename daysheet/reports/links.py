"""Addresses with their filters: where a figure of a report leads."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from daysheet.payments.queries.entries import Figure
from daysheet.practices.actor import Actor
from daysheet.web.pages import practice_url


def report_url(actor: Actor, name: str, **asked: object) -> str:
    """The page of a report with these filters; None is left out."""
    return _with(practice_url(actor, f"reports:{name}"), **asked)


def _with(url: str, **asked: object) -> str:
    given = {
        key: value.isoformat() if isinstance(value, date) else str(value)
        for key, value in asked.items()
        if value is not None
    }
    return f"{url}?{urlencode(given)}" if given else url


def entries_url(actor: Actor, from_on: date, to_on: date, **asked: object) -> str:
    """The entries posted on these days, narrowed to what a figure is made of."""
    return report_url(actor, "entries", from_on=from_on, to_on=to_on, **asked)


def figure_url(actor: Actor, client_id: UUID, figure: Figure, **asked: object) -> str:
    """The entries behind a figure of a client, or of one of their lines."""
    return _with(practice_url(actor, "payments:entries", client=client_id), figure=figure.value, **asked)


def payment_figure_url(actor: Actor, payment_id: UUID, figure: Figure, **asked: object) -> str:
    """The entries behind a figure of a payment."""
    return _with(practice_url(actor, "payments:payment_entries", payment=payment_id), figure=figure.value, **asked)


def appointment_url(actor: Actor, appointment_id: UUID) -> str:
    """The page of an appointment."""
    return practice_url(actor, "schedule:appointment", appointment=appointment_id)


def client_url(actor: Actor, client_id: UUID | None) -> str:
    """A client's ledger."""
    return practice_url(actor, "payments:ledger", client=client_id) if client_id else ""


def payment_url(actor: Actor, payment_id: UUID | None) -> str:
    """The page of a payment."""
    return practice_url(actor, "payments:payment", payment=payment_id) if payment_id else ""


def invoice_url(actor: Actor, number: int | None) -> str:
    """The page of an invoice."""
    return practice_url(actor, "invoicing:invoice", number=number) if number else ""
