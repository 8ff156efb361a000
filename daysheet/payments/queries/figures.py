"""A client's figures, the same on the Ledger and on Details (M8): sums over the entries, and the next appointment; and
an insurer's, on its page."""

from __future__ import annotations

from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Sum

from daysheet.clients.models import Client
from daysheet.clients.queries import coverages_for, get_client, refuse_unseen, visible_clients
from daysheet.clients.registry import Tile
from daysheet.clients.rules import coverage_on
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.dates import us_date
from daysheet.kit.money import Money
from daysheet.ledger.queries import client_balances
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import Visit, VisitStatus
from daysheet.web.pages import practice_url, practice_url_or_none

from ..models import Payment
from .entries import Figure, figures_of_insurers_seen


@query(Permission.BILLING)
def balance_tiles(actor: Actor, client: Client) -> list[Tile]:
    """What is due from the client and from insurers, and the credit. Each leads to the entries behind it (M8)."""
    refuse_unseen(actor, client)
    balances = client_balances(actor, client.pk)
    behind = practice_url(actor, "payments:entries", client=client.pk)
    return [
        Tile("Client Balance Due", str(Money(balances.client_due_cents)), f"{behind}?figure=client_due"),
        Tile("Client Credit", str(Money(balances.credit_cents)), f"{behind}?figure=credit"),
        Tile("Insurance Balance Due", str(Money(balances.insurance_due_cents)), f"{behind}?figure=insurance_due"),
    ]


@query(Permission.BILLING)
def next_appointment_tile(actor: Actor, client: Client) -> list[Tile]:
    """The client's next appointment, in practice time."""
    refuse_unseen(actor, client)
    upcoming = Visit.objects.filter(
        client_id=client.pk, status=VisitStatus.UPCOMING, appointment__starts_at__gte=actor.now
    )
    starts = upcoming.order_by("appointment__starts_at").values_list("appointment__starts_at", flat=True).first()
    url = practice_url_or_none(actor, "schedule:client_appointments", client=client.pk) or ""
    if starts is None:
        return [Tile("Next Appointment", "–", url, "none planned")]
    local = starts.astimezone(ZoneInfo(actor.practice.time_zone))
    return [Tile("Next Appointment", us_date(local.date()), url, f"{local:%I:%M %p}".lstrip("0"))]


@query(Permission.BILLING)
def tiles_of_insurer(actor: Actor, payer_id: UUID) -> list[Tile]:
    """What an insurer owes and what of its money is on no line, for its page; each leads to its entries (M8)."""
    behind = practice_url(actor, "payments:insurer_entries", payer=payer_id)
    lines = InvoiceLine.objects.filter(coverage__payer_id=payer_id, insurance_open_cents__gt=0)
    due = lines.filter(client__in=visible_clients(actor)).aggregate(cents=Sum("insurance_open_cents"))["cents"]
    tiles = [Tile(Figure.INSURANCE_DUE.label, str(Money(due or 0)), f"{behind}?figure={Figure.INSURANCE_DUE}")]
    if Figure.UNAPPLIED in figures_of_insurers_seen(actor):
        held = Payment.objects.filter(payer_id=payer_id, unapplied_cents__gt=0)
        held = held.aggregate(cents=Sum("unapplied_cents"))["cents"]
        tiles.append(Tile(Figure.UNAPPLIED.label, str(Money(held or 0)), f"{behind}?figure={Figure.UNAPPLIED}"))
    return tiles


@query(Permission.BILLING)
def copay_today(actor: Actor, client_id: UUID) -> int | None:
    """The copay in cents that Co-Pay fills in; None where the client pays by self or no copay is known."""
    client = get_client(actor, client_id)
    coverage = coverage_on(coverages_for([client_id]).get(client_id, ()), actor.today)
    return coverage.copay_cents if coverage and client.pays_by == Client.PaysBy.INSURANCE else None
