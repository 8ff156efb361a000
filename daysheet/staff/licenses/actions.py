"""Assigning, correcting and renewing AMA CPT licences (L1-L4).

Invariants: one licence a person and year; a renewal is carried out once a practice and year, whoever asks, however
often, and however late.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max

from daysheet.audit.actions import Happening, record, record_many
from daysheet.database.constraints import refusing
from daysheet.database.scope import practice_transaction
from daysheet.kit.dates import local_date
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.kit.money import Money
from daysheet.practices.action import action
from daysheet.practices.actor import Actor, PracticeFacts, system_actor
from daysheet.practices.models import Practice
from daysheet.practices.permissions import Permission
from daysheet.staff.models import CptLicense, LicenseRenewalRun, StaffMember

from .rules import previous_year, who_is_renewed


class LicenseAlreadyHeld(Refusal):
    """The staff member holds a licence for that year already."""

    code = "license_already_held"


class LicenseYearOver(Refusal):
    """Licences are assigned for the current calendar year only, in practice time (L1)."""

    code = "license_year_over"


class LicenseFeeChanged(Refusal):
    """The year's fee is no longer the one that was shown before confirming (L4)."""

    code = "license_fee_changed"


class StaffMemberInactive(Refusal):
    """An inactive staff member renders no services."""

    code = "staff_member_inactive"


@action(Permission.ADMINISTRATOR, audited=False)
def assign_license(
    actor: Actor,
    staff_member_id: UUID,
    *,
    license_id: UUID | None = None,
    year: int | None = None,
    confirmed_fee_cents: int | None = None,
    paid_on: date | None = None,
    reference: str = "",
) -> CptLicense:
    """Give a staff member the licence of the current year at the practice's fee. The same id twice is one licence.

    `year` and `confirmed_fee_cents` are what the person confirmed: the refusals LicenseYearOver and LicenseFeeChanged
    say that they no longer hold. Raises LicenseAlreadyHeld, StaffMemberInactive, NotFound too.
    """
    person = _locked(staff_member_id)
    earlier = CptLicense.objects.filter(staff_member=person, year=actor.today.year).first()
    if earlier is not None and earlier.pk == license_id:
        return earlier
    fee_cents = _fee_cents(actor.practice.id)
    _refuse_what_changed(actor, year, fee_cents, confirmed_fee_cents)
    if earlier is not None:
        raise LicenseAlreadyHeld(f"{person.name} holds a CPT license for {earlier.year} already.")
    if not person.is_active:
        raise StaffMemberInactive(f"{person.name} is inactive. Make the person active first.")
    another = LicenseAlreadyHeld("This form gave another license before. Open it anew.")
    with refusing(staff_cptlicense_pkey=another):
        license_ = CptLicense.objects.create(
            pk=license_id or new_id(), staff_member=person, year=actor.today.year, fee_cents=fee_cents,
            paid_on=paid_on, reference=reference, assigned_at=actor.now, assigned_by=actor.person_name,
        )  # fmt: skip
    record(actor, "assign_license", "staff_member", person.pk, year=license_.year, fee_cents=fee_cents)
    return license_


@action(Permission.ADMINISTRATOR, audited=False)
def correct_license(
    actor: Actor, license_id: UUID, *, fee_cents: int, paid_on: date | None, reference: str
) -> CptLicense:
    """Correct what was paid to the AMA for a licence, when and under which reference. Raises NotFound."""
    license_ = CptLicense.objects.filter(pk=license_id).first()
    if license_ is None:
        raise NotFound("There is no such license.")
    wanted = {"fee_cents": fee_cents, "paid_on": paid_on, "reference": reference}
    changed = {name: value for name, value in wanted.items() if getattr(license_, name) != value}
    if changed:
        before = license_.fee_cents
        CptLicense.objects.filter(pk=license_id).update(**changed)
        record(
            actor,
            "correct_license",
            "staff_member",
            license_.staff_member_id,
            year=license_.year,
            changed=sorted(changed),
            fee_cents_before=before,
            fee_cents=fee_cents,
        )
    return CptLicense.objects.get(pk=license_id)


@action(Permission.ADMINISTRATOR, audited=False)
def set_cpt_access(actor: Actor, staff_member_id: UUID, *, has_access: bool) -> None:
    """Turn CPT Code Access on or off. Off revokes nothing: the year stays usable, only the renewal stops (L3)."""
    person = _locked(staff_member_id)
    if person.cpt_access != has_access:
        StaffMember.objects.filter(pk=staff_member_id).update(cpt_access=has_access)
        record(actor, "set_cpt_access", "staff_member", staff_member_id, has_access=has_access)


def renew_licenses(practice: PracticeFacts, now: datetime) -> int:
    """Carry out the renewal that is due in this practice, if any; returns how many licences it wrote (L2).
    Called by the clock and the command line."""
    with practice_transaction(practice.id):
        return renew_if_due(practice, now)


def renew_if_due(practice: PracticeFacts, now: datetime) -> int:
    """The same inside the practice's transaction, for the door of invoices: one query where nothing is due. Without
    it, a bill in the first minutes of a year would be refused until the clock has come round."""
    year = local_date(now, practice.time_zone).year
    if LicenseRenewalRun.objects.filter(year=year).exists():
        return 0
    return _renew(system_actor(practice, now, name="License renewal"), year)


def _renew(actor: Actor, year: int) -> int:
    # Everybody in id order, as every change of access and every assignment locks its person.
    people = {person.pk: person for person in StaffMember.objects.order_by("pk").select_for_update(no_key=True)}
    if LicenseRenewalRun.objects.filter(year=year).exists():
        return 0
    renewed = who_is_renewed(
        _holders(previous_year(year, *_earlier_years(year))),
        _holders(year),
        {person.pk: person.is_active and person.cpt_access for person in people.values()},
    )
    try:
        with transaction.atomic():
            LicenseRenewalRun.objects.create(year=year, ran_at=actor.now, renewed_count=len(renewed))
    except IntegrityError:
        # A practice without staff members has nobody to lock; another worker was first.
        return 0
    fee_cents = _fee_cents(actor.practice.id)
    CptLicense.objects.bulk_create(
        CptLicense(
            staff_member_id=person_id,
            year=year,
            fee_cents=fee_cents,
            assigned_at=actor.now,
            assigned_by=actor.person_name,
            is_renewal=True,
        )
        for person_id in renewed
    )
    record_many(
        actor,
        [
            Happening("renew_license", "staff_member", person_id, details={"year": year, "fee_cents": fee_cents})
            for person_id in renewed
        ],
    )
    return len(renewed)


def _earlier_years(year: int) -> tuple[list[int], list[int]]:
    held = CptLicense.objects.filter(year__lt=year).aggregate(latest=Max("year"))["latest"]
    ran = LicenseRenewalRun.objects.filter(year__lt=year).aggregate(latest=Max("year"))["latest"]
    return [held] if held else [], [ran] if ran else []


def _holders(year: int | None) -> list[UUID]:
    return list(CptLicense.objects.filter(year=year).values_list("staff_member_id", flat=True)) if year else []


def _locked(staff_member_id: UUID) -> StaffMember:
    person = StaffMember.objects.select_for_update(no_key=True).filter(pk=staff_member_id).first()
    if person is None:
        raise NotFound("There is no such staff member.")
    return person


def _fee_cents(practice_id: int) -> int:
    return Practice.objects.values_list("cpt_license_fee_cents", flat=True).get(pk=practice_id)


def _refuse_what_changed(actor: Actor, year: int | None, fee_cents: int, confirmed_fee_cents: int | None) -> None:
    if year is not None and year != actor.today.year:
        raise LicenseYearOver(
            f"Licenses are assigned for the current year, {actor.today.year}, and not for {year}. Nothing was assigned."
        )
    if confirmed_fee_cents is not None and confirmed_fee_cents != fee_cents:
        raise LicenseFeeChanged(
            f"The fee was changed to {Money(fee_cents)} meanwhile. Nothing was assigned: look at it and confirm again."
        )
