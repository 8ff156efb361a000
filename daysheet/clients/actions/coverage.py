"""Bill To & Insurance Info: who pays, at what amount, through which coverage (B10, B11, I1).

Invariant: on any day at most one coverage of a client has a given rank, so that "who pays first" has one answer.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.clients.models import Client, Coverage
from daysheet.clients.queries import get_coverage, get_payer
from daysheet.clients.rules import ranges_overlap
from daysheet.kit.dates import us_date
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.staff.models import StaffMember

from .clients import lock_client


class CoverageOverlaps(Refusal):
    """Another coverage of the same rank is in force on a day of this one."""

    code = "coverage_overlaps"


class CoverageEndsBeforeStart(Refusal):
    """The end is not after the start."""

    code = "coverage_ends_before_start"


class InsuredIdMissing(Refusal):
    """The insured ID is empty."""

    code = "insured_id_missing"


class NotAProvider(Refusal):
    """The rendering override is not an active provider."""

    code = "not_a_provider"


class StaffNpiMissing(Refusal):
    """The staff member whose NPI should bill has none."""

    code = "staff_npi_missing"


@action(Permission.BILLING, audited=False)
def set_bill_to(
    actor: Actor,
    client_id: UUID,
    *,
    pays_by: str,
    set_payment_amount_cents: int | None = None,
    rendering_override_id: UUID | None = None,
    billing_staff_member_id: UUID | None = None,
) -> None:
    """Who pays, the general Set Payment Amount (cents per unit; None: the services' rates), and both providers
    (None: the appointment's staff member; the practice NPI). Invoices already made stay as they are (B9).
    Raises NotFound, NotAProvider, StaffNpiMissing."""
    client = lock_client(actor, client_id)
    if rendering_override_id and rendering_override_id != client.rendering_override_id:
        _check_provider(rendering_override_id)
    if billing_staff_member_id and billing_staff_member_id != client.billing_staff_member_id:
        _check_npi(billing_staff_member_id)
    wanted = {
        "pays_by": Client.PaysBy(pays_by).value,
        "set_payment_amount_cents": set_payment_amount_cents,
        "rendering_override_id": rendering_override_id,
        "billing_staff_member_id": billing_staff_member_id,
    }
    changed = {name: value for name, value in wanted.items() if getattr(client, name) != value}
    if changed:
        Client.objects.filter(pk=client.pk).update(**changed)
        record(actor, "set_bill_to", "client", client.pk, client_id=client.pk, fields=sorted(changed))


@action(Permission.BILLING, audited=False)
def add_coverage(
    actor: Actor,
    /,
    client_id: UUID,
    *,
    payer_id: UUID,
    insured_id: str,
    starts_on: date,
    ends_on: date | None = None,
    rank: int = 1,
    coverage_id: UUID | None = None,
    **facts: Any,
) -> Coverage:
    """A policy in force on [starts_on, ends_on); the same `coverage_id` again gives the first one back.
    Raises NotFound, CoverageOverlaps, CoverageEndsBeforeStart, InsuredIdMissing."""
    client = lock_client(actor, client_id)
    coverage_id = coverage_id or new_id()
    existing = Coverage.objects.filter(pk=coverage_id).first()
    if existing:
        return get_coverage(actor, existing.pk)
    coverage = Coverage(
        pk=coverage_id,
        client=client,
        payer=get_payer(actor, payer_id),
        insured_id=insured_id.strip(),
        starts_on=starts_on,
        ends_on=ends_on,
        rank=rank,
        **facts,
    )
    _check_coverage(coverage)
    coverage.save(force_insert=True)
    record(actor, "add_coverage", "coverage", coverage.pk, client_id=client.pk)
    return coverage


@action(Permission.BILLING, audited=False)
def edit_coverage(actor: Actor, /, coverage_id: UUID, **facts: Any) -> None:
    """Change facts of a policy. Raises as add_coverage."""
    coverage = get_coverage(actor, coverage_id)
    lock_client(actor, coverage.client_id)
    coverage.refresh_from_db()
    if "payer_id" in facts:
        get_payer(actor, facts["payer_id"])
    changed = {name: value for name, value in facts.items() if getattr(coverage, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(coverage, name, value)
    _check_coverage(coverage)
    Coverage.objects.filter(pk=coverage.pk).update(**changed)
    record(actor, "edit_coverage", "coverage", coverage.pk, client_id=coverage.client_id, fields=sorted(changed))


@action(Permission.BILLING, audited=False)
def end_coverage(actor: Actor, coverage_id: UUID, *, ends_on: date) -> None:
    """The policy is in force no more from `ends_on` on. Raises NotFound, CoverageEndsBeforeStart, CoverageOverlaps."""
    edit_coverage(actor, coverage_id, ends_on=ends_on)


def _check_coverage(coverage: Coverage) -> None:
    if not coverage.insured_id.strip():
        raise InsuredIdMissing("Enter the insured ID as it stands on the insurance card.")
    if coverage.ends_on and coverage.ends_on <= coverage.starts_on:
        raise CoverageEndsBeforeStart(
            f"The coverage begins on {us_date(coverage.starts_on)}: it must end on a later day. "
            "The end is the first day on which it is no longer in force."
        )
    others = Coverage.objects.filter(client_id=coverage.client_id, rank=coverage.rank).exclude(pk=coverage.pk)
    for other in others.select_related("payer"):
        if ranges_overlap((coverage.starts_on, coverage.ends_on), (other.starts_on, other.ends_on)):
            until = f"until {us_date(other.ends_on)}" if other.ends_on else "without an end"
            raise CoverageOverlaps(
                f"{other.payer.name} is in force with the same rank from {us_date(other.starts_on)} {until}. "
                "Nothing was saved: end that coverage first, or give this one another rank."
            )


def _check_provider(staff_member_id: UUID) -> None:
    person = _staff_member(staff_member_id)
    if not person.is_provider or not person.is_active:
        raise NotAProvider(f"{person.name} is not an active provider, and so cannot render services.")


def _check_npi(staff_member_id: UUID) -> None:
    person = _staff_member(staff_member_id)
    if not person.npi:
        raise StaffNpiMissing(f"{person.name} has no NPI. Enter it on the staff member’s page first.")


def _staff_member(staff_member_id: UUID) -> StaffMember:
    person = StaffMember.objects.filter(pk=staff_member_id).first()
    if person is None:
        raise NotFound("There is no such staff member.")
    return person
