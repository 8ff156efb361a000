"""Income Based Payment Amounts (B10). A scale is written as a whole; on any day the one holds that began last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.database.constraints import refusing
from daysheet.kit.dates import us_date
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import IncomeScale, IncomeStep, ServiceType

#: More would be a table that nobody can read, and that the door would have to.
MOST_STEPS = 500


class ScaleStartTaken(Refusal):
    """Other amounts begin on that day."""

    code = "scale_start_taken"


class StepTwice(Refusal):
    """Two steps have the same service type, household size and income."""

    code = "step_twice"


class TooManySteps(Refusal):
    """A scale has more steps than fit."""

    code = "too_many_steps"


class NewStep(NamedTuple):
    """One step of a scale as it is written; see IncomeStep. `income_from_cents` is in the scale's period."""

    service_type_id: UUID | None
    household_from: int
    income_from_cents: int
    amount_cents: int | None


@action(Permission.ADMINISTRATOR, audited=False)
def add_income_scale(
    actor: Actor, *, starts_on: date, period: str, steps: Sequence[NewStep], scale_id: UUID | None = None
) -> IncomeScale:
    """The amounts for dates of service from `starts_on` until the next scale begins; without steps there are none. The
    same `scale_id` again gives the first one back. Raises NotFound, ScaleStartTaken, StepTwice, TooManySteps."""
    _check_steps(steps)
    with refusing(income_scale_start_once=_start_taken(starts_on)):
        scale, created = IncomeScale.objects.get_or_create(
            pk=scale_id or new_id(), defaults={"starts_on": starts_on, "period": IncomeScale.Period(period).value}
        )
    if created:
        _write_steps(scale, steps)
        record(actor, "add_income_scale", "income_scale", scale.pk, **_details(starts_on, period, steps))
    return scale


@action(Permission.ADMINISTRATOR, audited=False)
def edit_income_scale(actor: Actor, scale_id: UUID, *, starts_on: date, period: str, steps: Sequence[NewStep]) -> None:
    """Correct a scale, for what is billed from now on: it becomes exactly this.
    Raises NotFound, ScaleStartTaken, StepTwice, TooManySteps."""
    scale = _locked_scale(scale_id)
    _check_steps(steps)
    standing = {_as_step(step) for step in IncomeStep.objects.filter(scale=scale)}
    if (scale.starts_on, scale.period, standing) == (starts_on, period, set(steps)):
        return
    with refusing(income_scale_start_once=_start_taken(starts_on)):
        IncomeScale.objects.filter(pk=scale.pk).update(starts_on=starts_on, period=IncomeScale.Period(period).value)
    IncomeStep.objects.filter(scale=scale).delete()
    _write_steps(scale, steps)
    before = _details(scale.starts_on, scale.period, sorted(standing, key=str))
    record(
        actor, "edit_income_scale", "income_scale", scale.pk, before=before, after=_details(starts_on, period, steps)
    )


@action(Permission.ADMINISTRATOR, audited=False)
def remove_income_scale(actor: Actor, scale_id: UUID) -> None:
    """Take a scale away: the one before it reaches on. Raises NotFound."""
    scale = _locked_scale(scale_id)
    steps = [_as_step(step) for step in IncomeStep.objects.filter(scale=scale)]
    IncomeStep.objects.filter(scale=scale).delete()
    IncomeScale.objects.filter(pk=scale.pk).delete()
    details = _details(scale.starts_on, scale.period, steps)
    record(actor, "remove_income_scale", "income_scale", scale.pk, **details)


def _locked_scale(scale_id: UUID) -> IncomeScale:
    scale = IncomeScale.objects.filter(pk=scale_id).select_for_update().first()
    if scale is None:
        raise NotFound("There are no such amounts.")
    return scale


def _check_steps(steps: Sequence[NewStep]) -> None:
    if len(steps) > MOST_STEPS:
        raise TooManySteps(f"At most {MOST_STEPS} steps fit, and these are {len(steps)}. Nothing was saved.")
    if len({step[:3] for step in steps}) < len(steps):
        raise StepTwice("Two rows have the same service type, household size and income. Nothing was saved.")
    services = {step.service_type_id for step in steps if step.service_type_id}
    if ServiceType.objects.filter(pk__in=services).count() < len(services):
        raise NotFound("There is no such service type.")


def _write_steps(scale: IncomeScale, steps: Sequence[NewStep]) -> None:
    IncomeStep.objects.bulk_create([IncomeStep(scale=scale, **step._asdict()) for step in steps])


def _as_step(step: IncomeStep) -> NewStep:
    return NewStep(step.service_type_id, step.household_from, step.income_from_cents, step.amount_cents)


def _start_taken(starts_on: date) -> ScaleStartTaken:
    return ScaleStartTaken(
        f"Other amounts begin on {us_date(starts_on)} already. Nothing was saved: edit those, or choose another day."
    )


def _details(starts_on: date, period: str, steps: Sequence[NewStep]) -> dict[str, Any]:
    rows = [[str(step.service_type_id or ""), *step[1:]] for step in steps]
    return {"starts_on": str(starts_on), "period": period, "steps": rows}
