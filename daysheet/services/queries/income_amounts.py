"""Income Based Payment Amounts: the scales there are, and what a client's income comes to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, QuerySet
from django.db.models.functions import JSONObject, Lower

from daysheet.clients.rules import IncomeFacts, yearly_cents
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import IncomeScale, IncomeStep, ServiceType
from ..rules import IncomeScaleTerms, IncomeStepTerms, income_step_for, standing_on


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step as people read it: incomes from `from_cents` up to, but not including, `below_cents` (None: any more).
    `household`: `3`, `4 and more`, or empty where the size makes no difference."""

    household: str
    from_cents: int
    below_cents: int | None
    amount_cents: int | None


@dataclass(frozen=True, slots=True)
class StepGroup:
    """The steps for one service type (`label` empty: for all that have none of their own)."""

    label: str
    rows: tuple[StepRow, ...]


@dataclass(frozen=True, slots=True)
class ScaleRow:
    """One scale, on [starts_on, ends_on)."""

    id: UUID
    starts_on: date
    ends_on: date | None
    period: str
    period_label: str
    groups: tuple[StepGroup, ...]
    is_in_force: bool
    is_over: bool


@query(Permission.ADMINISTRATOR)
def income_scales(actor: Actor) -> list[ScaleRow]:
    """Every scale, the newest first."""
    scales = list(IncomeScale.objects.order_by("-starts_on"))
    steps: dict[UUID, list[IncomeStep]] = {}
    for step in _ordered_steps():
        steps.setdefault(step.scale_id, []).append(step)
    current = standing_on(scales, actor.today)
    ends = [None, *(scale.starts_on for scale in scales)]
    return [
        ScaleRow(
            scale.pk, scale.starts_on, ends_on, scale.period, scale.get_period_display(),
            tuple(_groups(steps.get(scale.pk, []))), scale is current, ends_on is not None and ends_on <= actor.today,
        )
        for scale, ends_on in zip(scales, ends, strict=False)
    ]  # fmt: skip


@query(Permission.ADMINISTRATOR)
def income_scale(actor: Actor, scale_id: UUID) -> tuple[IncomeScale, list[IncomeStep]]:
    """One scale and its steps in order, to be edited. Raises NotFound."""
    scale = IncomeScale.objects.filter(pk=scale_id).first()
    if scale is None:
        raise NotFound("There are no such amounts.")
    return scale, list(_ordered_steps().filter(scale=scale))


def scale_terms(until: date) -> list[IncomeScaleTerms]:
    """Every scale that begins by `until`, with its steps: one statement, its inner look-up by the scale's key."""
    steps = IncomeStep.objects.filter(scale=OuterRef("pk")).values_list(
        JSONObject(
            service=F("service_type_id"), household=F("household_from"), income=F("income_from_cents"),
            amount=F("amount_cents"),
        )
    )  # fmt: skip
    scales = IncomeScale.objects.filter(starts_on__lte=until).annotate(found=ArraySubquery(steps))
    return [
        IncomeScaleTerms(
            scale.starts_on,
            tuple(
                IncomeStepTerms(
                    UUID(step["service"]) if step["service"] else None, step["household"],
                    yearly_cents(step["income"], scale.period), step["amount"],
                )
                for step in scale.found
            ),
        )
        for scale in scales
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class IncomeAmount:
    """What an income comes to for one service type, or (`label` empty) for those without steps of their own."""

    label: str
    amount_cents: int | None


@query(Permission.BILLING)
def amounts_by_income(actor: Actor, income: IncomeFacts) -> list[IncomeAmount]:
    """What the scale of today gives for an income: first for all service types, then for those with steps of their
    own, by code. Empty where no scale is in force."""
    scale = standing_on(scale_terms(actor.today), actor.today)
    if scale is None:
        return []
    meant = {step.service_type_id for step in scale.steps}
    services = ServiceType.objects.filter(pk__in=[each for each in meant if each], archived_at=None)
    asked: list[tuple[str, UUID | None]] = [("", None)] if None in meant else []
    asked += [(service.label, service.pk) for service in services.order_by(Lower("code"), "pk")]
    found = [(label, income_step_for(scale.steps, income, service_id)) for label, service_id in asked]
    return [IncomeAmount(label, step.amount_cents if step else None) for label, step in found]


def _ordered_steps() -> QuerySet[IncomeStep]:
    steps = IncomeStep.objects.select_related("service_type")
    code = Lower("service_type__code").asc(nulls_first=True)
    return steps.order_by(code, "service_type_id", "household_from", "income_from_cents")


def _groups(steps: Sequence[IncomeStep]) -> Iterable[StepGroup]:
    by_service: dict[UUID | None, list[IncomeStep]] = {}
    for step in steps:
        by_service.setdefault(step.service_type_id, []).append(step)
    for of_service in by_service.values():
        service = of_service[0].service_type
        yield StepGroup(service.label if service else "", tuple(_step_rows(of_service)))


def _step_rows(steps: Sequence[IncomeStep]) -> Iterable[StepRow]:
    sizes = sorted({step.household_from for step in steps})
    for position, step in enumerate(steps):
        following = steps[position + 1] if position + 1 < len(steps) else None
        is_same_size = following is not None and following.household_from == step.household_from
        yield StepRow(
            _household(sizes, step.household_from),
            step.income_from_cents,
            following.income_from_cents if following and is_same_size else None,
            step.amount_cents,
        )


def _household(sizes: Sequence[int], size: int) -> str:
    if list(sizes) == [1]:
        return ""
    if size == sizes[-1]:
        return f"{size} and more"
    next_size = sizes[sizes.index(size) + 1]
    return str(size) if next_size == size + 1 else f"{size} to {next_size - 1}"
