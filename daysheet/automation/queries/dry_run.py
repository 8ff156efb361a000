"""What the next night would do if it came now: the same choice as the night's own, priced by the door's own rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from daysheet.clients.models import Client
from daysheet.invoicing.forecast import Forecast, ForecastLine, forecast
from daysheet.invoicing.models import Batch, Invoice
from daysheet.invoicing.queries.batch_search import ClientRows, DateRow, price_dates
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import Visit

from ..choosing import ChosenClaims, ChosenDates, Leaving, choose_claims, choose_dates, standing_rules
from ..models import AutomationPlan, Night
from ..rules import looked_at, next_night
from .night import WHY, LeftOutRow
from .overview import night_moment

#: Rows of each list; the numbers above them are of all.
MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class DryDate:
    """A date of service the night would bill, or try to: `why_not` where it would be refused."""

    client_id: UUID
    client_name: str
    date: DateRow
    why_not: str


@dataclass(frozen=True, slots=True)
class DryRun:
    """Amounts in cents. `has_new_year`: the night lies in another year than today, whose licenses come first."""

    night_on: date
    from_on: date
    to_on: date
    creates_invoices: bool
    queues_claims: bool
    forecast: Forecast
    dates: tuple[DryDate, ...]
    date_count: int
    left_out: tuple[LeftOutRow, ...]
    left_out_count: int
    invoices: tuple[tuple[int, str], ...]
    invoice_count: int
    has_new_year: bool


@query(Permission.BILLING)
def dry_run(actor: Actor) -> DryRun | None:
    """The next night; None before the first settings. Writes nothing."""
    plan = AutomationPlan.objects.order_by("-version").first()
    if plan is None:
        return None
    last_on = Night.objects.order_by("-night_on").values_list("night_on", flat=True).first()
    night_on = next_night(last_on, plan.first_night_on)
    from_on, to_on = looked_at(night_on, starts_on=plan.starts_on, look_back_days=plan.look_back_days)
    at = max(night_moment(actor, night_on), actor.now)
    rules = standing_rules()
    chosen, claims = ChosenDates(), ChosenClaims()
    if plan.creates_invoices:
        chosen = choose_dates(actor, from_on=from_on, to_on=to_on, rules=rules, at=at)
    if plan.queues_claims:
        claims = choose_claims(actor, since=from_on, before=max(night_on, actor.today), rules=rules)
    by_client = price_dates(actor, chosen.dates, {}) if chosen.dates else []
    by_date = plan.grouping == Batch.Grouping.DATE_OF_SERVICE
    dates = [each for client in by_client for each in _dates(client, by_date)]
    left_out = chosen.left_out + claims.left_out
    return DryRun(
        night_on=night_on,
        from_on=from_on,
        to_on=to_on,
        creates_invoices=plan.creates_invoices,
        queues_claims=plan.queues_claims,
        forecast=forecast(_forecast_lines(by_client), by_date=by_date),
        dates=tuple(dates[:MOST_ROWS]),
        date_count=len(dates),
        left_out=tuple(_left_out(left_out[:MOST_ROWS])),
        left_out_count=len(left_out),
        invoices=tuple(_invoices(claims.invoice_ids[:MOST_ROWS])),
        invoice_count=len(claims.invoice_ids),
        has_new_year=night_on.year != actor.today.year,
    )


def _dates(client: ClientRows, by_date: bool) -> list[DryDate]:
    """A refused date stops the whole invoice it would stand on, as the door does."""
    is_stopped = any(row.is_refused for row in client.dates) and not by_date
    return [
        DryDate(
            client.client_id, client.name, row,
            row.why if row.is_refused else "Held back with another date of the same invoice." if is_stopped else "",
        )
        for row in client.dates
    ]  # fmt: skip


def _forecast_lines(by_client: list[ClientRows]) -> list[ForecastLine]:
    return [
        ForecastLine(client.client_id, row.visit_id, row.service_on, line.amount_cents or 0, line.refusal is not None)
        for client in by_client
        for row in client.dates
        for line in row.lines
    ]


def _left_out(leaving: tuple[Leaving, ...]) -> list[LeftOutRow]:
    names = {
        client.pk: client.sort_name for client in Client.objects.filter(pk__in={each.client_id for each in leaving})
    }
    visits = [each.visit_id for each in leaving if each.visit_id]
    appointments = dict(Visit.objects.filter(pk__in=visits).values_list("pk", "appointment_id"))
    invoices = [each.invoice_id for each in leaving if each.invoice_id]
    numbers = dict(Invoice.objects.filter(pk__in=invoices).values_list("pk", "number"))
    return [
        LeftOutRow(
            each.client_id, names[each.client_id], each.service_on,
            appointments[each.visit_id] if each.visit_id else None,
            numbers[each.invoice_id] if each.invoice_id else None,
            each.kind, each.rule.note if each.rule else WHY[each.kind],
        )
        for each in leaving
    ]  # fmt: skip


def _invoices(invoice_ids: tuple[UUID, ...]) -> list[tuple[int, str]]:
    rows = Invoice.objects.filter(pk__in=invoice_ids).select_related("client").order_by("number")
    return [(invoice.number, invoice.client.sort_name) for invoice in rows]
