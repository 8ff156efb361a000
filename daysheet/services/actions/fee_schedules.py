"""Fee schedules of insurers (B10). A rate is stored with its first day alone and holds until the next one begins, so
two can never overlap; what is billed already keeps the terms it froze (B9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.clients.models import Payer
from daysheet.kit.dates import us_date
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.kit.money import Money
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import PayerRate
from ..queries import get_service_type
from ..rules import rate_changed_by, standing_on


class RateAlreadyThere(Refusal):
    """Another rate of the same payer and service begins on that day, or within the days asked for."""

    code = "rate_already_there"


class RateEndsBeforeStart(Refusal):
    """The end is not after the start, or after the day on which the next rate begins."""

    code = "rate_ends_before_start"


class NothingToCopy(Refusal):
    """The schedule to copy has no rate in force on that day."""

    code = "nothing_to_copy"


@action(Permission.ADMINISTRATOR, audited=False)
def add_payer_rate(
    actor: Actor,
    payer_id: UUID,
    service_type_id: UUID,
    *,
    rate_cents: int,
    starts_on: date,
    ends_on: date | None = None,
    rate_id: UUID | None = None,
) -> PayerRate:
    """A payer's rate per unit of a service from `starts_on` until the next one begins; with `ends_on`, what held before
    holds again from that day. The same `rate_id` again gives the first one back.
    Raises NotFound, RateAlreadyThere, RateEndsBeforeStart."""
    payer = lock_payer(payer_id)
    service = get_service_type(actor, service_type_id)
    standing = list(PayerRate.objects.filter(payer=payer, service_type=service))
    existing = next((rate for rate in standing if rate.pk == rate_id), None)
    if existing:
        return existing
    _check_free(standing, starts_on, ends_on)
    before = standing_on(standing, starts_on)
    rate = PayerRate.objects.create(
        pk=rate_id or new_id(), payer=payer, service_type=service, rate_cents=rate_cents, starts_on=starts_on
    )
    if ends_on and not any(other.starts_on == ends_on for other in standing):
        PayerRate.objects.create(
            payer=payer, service_type=service, rate_cents=before.rate_cents if before else None, starts_on=ends_on
        )
    record(
        actor, "add_payer_rate", "payer", payer.pk, code=service.code, rate_cents=rate_cents,
        from_day=str(starts_on), ends_on=str(ends_on or ""),
    )  # fmt: skip
    return rate


@action(Permission.ADMINISTRATOR, audited=False)
def edit_payer_rate(actor: Actor, rate_id: UUID, *, rate_cents: int) -> None:
    """Correct the amount of a rate, for what is billed from now on. Raises NotFound."""
    rate = _locked_rate(rate_id)
    if rate.rate_cents != rate_cents:
        PayerRate.objects.filter(pk=rate.pk).update(rate_cents=rate_cents)
        record(
            actor, "edit_payer_rate", "payer", rate.payer_id, code=rate.service_type.code,
            from_day=str(rate.starts_on), rate_cents=[rate.rate_cents, rate_cents],
        )  # fmt: skip


@action(Permission.ADMINISTRATOR, audited=False)
def end_payer_rate(actor: Actor, rate_id: UUID, *, ends_on: date) -> None:
    """From `ends_on` on the payer has no rate of its own for the service. Raises NotFound, RateEndsBeforeStart."""
    rate = _locked_rate(rate_id)
    if ends_on <= rate.starts_on:
        raise RateEndsBeforeStart(f"The rate begins on {us_date(rate.starts_on)}: it must end on a later day.")
    later = PayerRate.objects.filter(
        payer_id=rate.payer_id, service_type_id=rate.service_type_id, starts_on__gt=rate.starts_on
    )
    following = later.order_by("starts_on").first()
    if following and following.starts_on == ends_on and following.rate_cents is None:
        return
    if following and following.starts_on <= ends_on:
        raise RateEndsBeforeStart(
            f"This rate ends on {us_date(following.starts_on)} already, where the next one begins. Nothing was saved."
        )
    PayerRate.objects.create(
        payer_id=rate.payer_id, service_type_id=rate.service_type_id, starts_on=ends_on, rate_cents=None
    )
    record(
        actor, "end_payer_rate", "payer", rate.payer_id, code=rate.service_type.code, rate_id=str(rate.pk),
        ends_on=str(ends_on),
    )  # fmt: skip


@action(Permission.ADMINISTRATOR, audited=False)
def remove_payer_rate(actor: Actor, rate_id: UUID) -> None:
    """Take a rate, or an end, out of the schedule: what held before it reaches on. Raises NotFound."""
    rate = _locked_rate(rate_id)
    PayerRate.objects.filter(pk=rate.pk).delete()
    record(
        actor, "remove_payer_rate", "payer", rate.payer_id, code=rate.service_type.code,
        rate_cents=rate.rate_cents, from_day=str(rate.starts_on),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Copied:
    """How many rates were written, and how many stayed because one began on that day already."""

    copied_count: int
    kept_count: int


@action(Permission.ADMINISTRATOR, audited=False)
def copy_fee_schedule(
    actor: Actor,
    payer_id: UUID,
    *,
    as_of: date,
    starts_on: date,
    hundredths: int = 0,
    from_payer_id: UUID | None = None,
) -> Copied:
    """Write the rates that hold on `as_of`, changed by `hundredths` of a percent (250 is 2.5 % more), as rates of
    `payer_id` from `starts_on` on. A rate that begins on that day already stays, so a second click copies nothing.
    Raises NotFound, NothingToCopy."""
    payer = lock_payer(payer_id)
    source = lock_payer(from_payer_id) if from_payer_id and from_payer_id != payer_id else payer
    by_service: dict[UUID, list[PayerRate]] = {}
    for rate in PayerRate.objects.filter(payer=source, service_type__archived_at=None):
        by_service.setdefault(rate.service_type_id, []).append(rate)
    standing = {service_id: standing_on(rates, as_of) for service_id, rates in by_service.items()}
    in_force = {key: rate.rate_cents for key, rate in standing.items() if rate and rate.rate_cents is not None}
    if not in_force:
        raise NothingToCopy(f"{source.name} has no rate in force on {us_date(as_of)}: nothing was copied.")
    taken = set(PayerRate.objects.filter(payer=payer, starts_on=starts_on).values_list("service_type_id", flat=True))
    new = [
        PayerRate(payer=payer, service_type_id=service_id, starts_on=starts_on,
                  rate_cents=rate_changed_by(cents, hundredths))
        for service_id, cents in in_force.items()
        if service_id not in taken
    ]  # fmt: skip
    if new:
        PayerRate.objects.bulk_create(new)
        record(
            actor, "copy_fee_schedule", "payer", payer.pk, from_payer_id=str(source.pk), as_of=str(as_of),
            starts_on=str(starts_on), hundredths=hundredths, rate_count=len(new),
        )  # fmt: skip
    return Copied(len(new), len(in_force) - len(new))


def lock_payer(payer_id: UUID) -> Payer:
    """The insurer, locked: its prices are changed by one transaction at a time. Raises NotFound."""
    payer = Payer.objects.filter(pk=payer_id).select_for_update(no_key=True).first()
    if payer is None:
        raise NotFound("There is no such insurer.")
    return payer


def _locked_rate(rate_id: UUID) -> PayerRate:
    rate = PayerRate.objects.filter(pk=rate_id).select_related("service_type").first()
    if rate is None:
        raise NotFound("There is no such rate.")
    lock_payer(rate.payer_id)
    return rate


def _check_free(standing: list[PayerRate], starts_on: date, ends_on: date | None) -> None:
    if ends_on and ends_on <= starts_on:
        raise RateEndsBeforeStart(f"The rate begins on {us_date(starts_on)}: it must end on a later day.")
    for other in sorted(standing, key=lambda rate: rate.starts_on):
        if other.starts_on == starts_on or (ends_on and starts_on < other.starts_on < ends_on):
            what = "No rate of its own" if other.rate_cents is None else f"A rate of {Money(other.rate_cents)}"
            raise RateAlreadyThere(
                f"{what} for this service begins on {us_date(other.starts_on)}. Nothing was saved: "
                "edit or remove that one, or choose other days."
            )
