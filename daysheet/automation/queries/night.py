"""One night: what it made, what it left to people and why, what it put into Claims Awaiting Submission."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from daysheet.invoicing.queries.batch_history import BatchResult, batch_progress, batch_result
from daysheet.kit.errors import NotFound
from daysheet.mail.queries import visible_messages
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import LeftOut, Night, NightClaim
from .overview import NightRow, night_rows

ROWS_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class LeftOutRow:
    """A date of service or invoice that was left to people. `why` is the rule's note, or what is missing."""

    client_id: UUID
    client_name: str
    service_on: date
    appointment_id: UUID | None
    invoice_number: int | None
    kind: str
    why: str


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """An invoice whose claims were to be queued, and what came of it."""

    invoice_number: int
    client_name: str
    is_done: bool
    claim_count: int
    message: str


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A morning summary and what became of it."""

    message_id: UUID
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class NightPage:
    """A night; `result` is its batch's, None while that runs or where there was nothing to bill."""

    row: NightRow
    plan_version: int
    batch_id: UUID | None
    result: BatchResult | None
    left_out: tuple[LeftOutRow, ...]
    claims: tuple[ClaimRow, ...]
    summaries: tuple[SummaryRow, ...]
    page: int
    has_next: bool
    earlier: UUID | None
    later: UUID | None


#: What is missing, and what to do about it.
WHY = {
    LeftOut.Kind.VOIDED: "It was on an invoice before and was taken off again. Bill it by hand if it is to be billed.",
    LeftOut.Kind.NO_FEE: "Nobody decided on the fee: add the fee service, or waive the fee.",
    LeftOut.Kind.NO_SERVICE: "It has no service type, so there is nothing to bill. Open the appointment and add one.",
}


@query(Permission.BILLING)
def night_page(actor: Actor, night_id: UUID, *, page: int = 1) -> NightPage:
    """A night with a page of each of its lists. Raises NotFound, also for people limited to assigned clients."""
    night = None if actor.limited_to_assigned else Night.objects.select_related("plan").filter(pk=night_id).first()
    if night is None:
        raise NotFound("There is no such night in this practice.")
    start = (max(page, 1) - 1) * ROWS_A_PAGE
    window = slice(start, start + ROWS_A_PAGE + 1)
    left_out = _left_out(night, window)
    claims = _claims(night, window)
    is_over = night.batch_id and batch_progress(actor, night.batch_id).is_finished
    result = batch_result(actor, night.batch_id, page=page) if night.batch_id and is_over else None
    nights = Night.objects.values_list("pk", flat=True)
    return NightPage(
        row=night_rows(actor, [night])[0],
        plan_version=night.plan.version,
        batch_id=night.batch_id,
        result=result,
        left_out=tuple(left_out[:ROWS_A_PAGE]),
        claims=tuple(claims[:ROWS_A_PAGE]),
        summaries=tuple(
            SummaryRow(message.pk, message.recipient_name, message.get_state_display())
            for message in visible_messages(actor).filter(run_id=night.pk).order_by("recipient_name", "pk")
        ),
        page=max(page, 1),
        has_next=max(len(left_out), len(claims)) > ROWS_A_PAGE or bool(result and result.has_next),
        earlier=nights.filter(night_on__lt=night.night_on).order_by("-night_on").first(),
        later=nights.filter(night_on__gt=night.night_on).order_by("night_on").first(),
    )


def _left_out(night: Night, window: slice) -> list[LeftOutRow]:
    rows = LeftOut.objects.filter(night=night).select_related("client", "rule", "visit", "invoice")
    return [
        LeftOutRow(
            client_id=row.client_id,
            client_name=row.client.sort_name,
            service_on=row.service_on,
            appointment_id=row.visit.appointment_id if row.visit else None,
            invoice_number=row.invoice.number if row.invoice else None,
            kind=row.kind,
            why=row.rule.note if row.rule else WHY[LeftOut.Kind(row.kind)],
        )
        for row in rows.order_by("service_on", "pk")[window]
    ]


def _claims(night: Night, window: slice) -> list[ClaimRow]:
    rows = NightClaim.objects.filter(night=night).select_related("invoice__client").order_by("invoice__number")[window]
    return [
        ClaimRow(
            row.invoice.number, row.invoice.client.sort_name, row.done_at is not None, row.claim_count, row.message
        )
        for row in rows
    ]
