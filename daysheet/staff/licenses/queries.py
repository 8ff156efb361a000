"""Who holds which licence, and what the AMA is owed (L1, L4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models.functions import Lower

from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.models import Practice
from daysheet.practices.permissions import Permission
from daysheet.staff.models import CptLicense, StaffMember


@dataclass(frozen=True, slots=True)
class LicenseRow:
    """A staff member in one year; `license_id` is None for somebody without a licence."""

    staff_member_id: UUID
    name: str
    npi: str
    is_active: bool
    is_provider: bool
    cpt_access: bool
    license_id: UUID | None = None
    since: datetime | None = None
    fee_cents: int = 0
    paid_on: date | None = None
    reference: str = ""
    is_renewal: bool = False
    assigned_by: str = ""


@dataclass(frozen=True, slots=True)
class LicenseYear:
    """One year's page. `fees_cents` is the total owed to the AMA for the year, of which `unpaid_cents` has no date
    of payment yet."""

    year: int
    years: tuple[int, ...]
    is_current: bool
    licensed: tuple[LicenseRow, ...]
    without: tuple[LicenseRow, ...]
    fees_cents: int
    unpaid_cents: int
    fee_cents: int


@query(Permission.ADMINISTRATOR)
def licenses_of_year(actor: Actor, year: int | None = None) -> LicenseYear:
    """Who holds a licence in `year` (default: the current one, practice time), and which active people do not."""
    current = actor.today.year
    shown = year or current
    held = CptLicense.objects.filter(year=shown).select_related("staff_member")
    by_name = held.order_by(Lower("staff_member__last_name"), Lower("staff_member__first_name"), "pk")
    licensed = [_row(license_.staff_member, license_) for license_ in by_name]
    holders = [row.staff_member_id for row in licensed]
    others = StaffMember.objects.filter(is_active=True).exclude(pk__in=holders)
    known = set(CptLicense.objects.order_by("year").values_list("year", flat=True).distinct())
    return LicenseYear(
        year=shown,
        years=tuple(sorted(known | {current, shown}, reverse=True)),
        is_current=shown == current,
        licensed=tuple(licensed),
        without=tuple(_row(person) for person in others.order_by("-is_provider", Lower("last_name"), "pk")),
        fees_cents=sum(row.fee_cents for row in licensed),
        unpaid_cents=sum(row.fee_cents for row in licensed if row.paid_on is None),
        fee_cents=current_fee_cents(actor),
    )


@query(Permission.ADMINISTRATOR)
def current_fee_cents(actor: Actor) -> int:
    """What one licence costs now, as the practice typed it under Settings."""
    return Practice.objects.values_list("cpt_license_fee_cents", flat=True).get(pk=actor.practice.id)


@query(Permission.ADMINISTRATOR)
def get_license(actor: Actor, license_id: UUID) -> CptLicense:
    """One licence with its staff member. Raises NotFound."""
    license_ = CptLicense.objects.select_related("staff_member").filter(pk=license_id).first()
    if license_ is None:
        raise NotFound("There is no such license.")
    return license_


def licensed_staff_ids(year: int, staff_member_ids: Iterable[UUID]) -> set[UUID]:
    """Which of these staff members hold a licence for `year`, in one query; for the door of invoices (L1). Call
    `renew_if_due` before, so that a New Year no clock has seen yet refuses nobody."""
    held = CptLicense.objects.filter(year=year, staff_member_id__in=list(staff_member_ids))
    return set(held.values_list("staff_member_id", flat=True))


def _row(person: StaffMember, license_: CptLicense | None = None) -> LicenseRow:
    facts = (
        person.pk,
        person.name_with_credentials,
        person.npi,
        person.is_active,
        person.is_provider,
        person.cpt_access,
    )
    if license_ is None:
        return LicenseRow(*facts)
    return LicenseRow(
        *facts,
        license_id=license_.pk,
        since=license_.assigned_at,
        fee_cents=license_.fee_cents,
        paid_on=license_.paid_on,
        reference=license_.reference,
        is_renewal=license_.is_renewal,
        assigned_by=license_.assigned_by,
    )
