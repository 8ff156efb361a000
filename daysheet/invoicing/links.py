"""Addresses of the pages that invoicing leads to; those of slices that are not there (yet) are None."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from daysheet.practices.actor import Actor
from daysheet.web.pages import practice_url, practice_url_or_none


def invoice_url(actor: Actor, number: int) -> str:
    """The page of an invoice."""
    return practice_url(actor, "invoicing:invoice", number=number)


def price_url(actor: Actor, visit_id: UUID) -> str:
    """What a visit would bill, and why."""
    return practice_url(actor, "invoicing:visit_price", visit=visit_id)


def agenda_url(actor: Actor, day: date) -> str | None:
    """The Agenda of a day."""
    url = practice_url_or_none(actor, "schedule:agenda")
    return f"{url}?{urlencode({'day': day.isoformat()})}" if url else None


def ledger_url(actor: Actor, client_id: UUID) -> str | None:
    """The ledger of a client."""
    return practice_url_or_none(actor, "payments:ledger", client=client_id)


def apply_payment_url(actor: Actor, visit_id: UUID) -> str | None:
    """Where money for a date of service is taken; leads back to the Agenda (M1)."""
    return practice_url_or_none(actor, "payments:apply_payment", visit=visit_id)


def apply_credit_url(actor: Actor, client_id: UUID, number: int) -> str | None:
    """Where a client's credit is put on an invoice (M3)."""
    url = practice_url_or_none(actor, "payments:apply_credit", client=client_id)
    return f"{url}?{urlencode({'invoice': number})}" if url else None


def payment_url(actor: Actor, client_id: UUID, number: int) -> str | None:
    """Where a client's payment for an invoice is taken (M1)."""
    url = practice_url_or_none(actor, "payments:accept_payment", client=client_id)
    return f"{url}?{urlencode({'invoice': number})}" if url else None


def print_url(actor: Actor, number: int) -> str | None:
    """Where an invoice is printed."""
    return practice_url_or_none(actor, "documents:print_invoice", number=number)
