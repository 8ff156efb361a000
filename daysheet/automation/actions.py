"""Writes by people: the settings of automation, and the rules that leave something out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from daysheet.audit.actions import record
from daysheet.kit.dates import last_night
from daysheet.kit.errors import NotFound, Refusal
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .models import AutomationPlan, ExclusionRule, SummaryRecipient
from .recipients import may_get_summary
from .rules import first_night


class AutomationNeedsBilling(Refusal):
    """Automation makes invoices and claims: whoever switches it needs the permission that they need by hand."""

    code = "automation_needs_billing"


class PlanChanged(Refusal):
    """Somebody else saved other settings since the form was opened."""

    code = "plan_changed"
    status = 409


class RecipientNotAllowed(Refusal):
    """The morning summary names counts and totals of the whole practice: not everybody may read those."""

    code = "recipient_not_allowed"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the form says."""

    creates_invoices: bool
    queues_claims: bool
    starts_on: date
    look_back_days: int
    grouping: str
    recipient_ids: frozenset[UUID]


@action(Permission.ADMINISTRATOR, audited=False)
def save_plan(actor: Actor, settings: Settings, *, seen_version: int, link_base: str = "") -> AutomationPlan:
    """Put new settings in force; unchanged ones make no new version, and the same form twice makes one.

    `seen_version` is what the form was opened with (0: nothing yet); `link_base` where the server was reached. Nights
    missed under settings that were on are still made up for. Raises AutomationNeedsBilling, PlanChanged,
    RecipientNotAllowed.
    """
    if not actor.may(Permission.BILLING):
        raise AutomationNeedsBilling(
            "Automation creates invoices and claims, so changing it needs the permission Billing as well. Nothing was "
            "changed."
        )
    before = AutomationPlan.objects.order_by("-version").first()
    if before is not None and settings == _settings_of(before):
        return before
    if seen_version != (before.version if before else 0):
        raise PlanChanged(
            f"{before.made_by_name if before else 'Somebody'} saved other settings meanwhile. Nothing was changed: "
            "reload the page and look at them first."
        )
    _refuse_recipients(settings.recipient_ids)
    plan = _write(actor, settings, before, link_base)
    SummaryRecipient.objects.bulk_create(
        SummaryRecipient(plan=plan, staff_member_id=each) for each in sorted(settings.recipient_ids)
    )
    record(
        actor, "save_automation", "automation_plan", plan.pk, version=plan.version, invoices=plan.creates_invoices,
        claims=plan.queues_claims, starts_on=plan.starts_on.isoformat(), look_back_days=plan.look_back_days,
    )  # fmt: skip
    return plan


@action(Permission.ADMINISTRATOR, audited=False)
def add_exclusion(actor: Actor, *, exclusion_id: UUID, note: str, **conditions: Any) -> ExclusionRule:
    """A rule from now on. The same id twice is one rule."""
    rule, is_new = ExclusionRule.objects.get_or_create(
        pk=exclusion_id,
        defaults={"made_at": actor.now, "made_by_name": actor.person_name[:120], "note": note, **conditions},
    )
    if is_new:
        record(actor, "add_exclusion", "exclusion_rule", rule.pk)
    return rule


@action(Permission.ADMINISTRATOR, audited=False)
def end_exclusion(actor: Actor, *, exclusion_id: UUID) -> bool:
    """End a rule; what it left out is looked at again as far as the nights look back. False: it had ended. Raises
    NotFound."""
    if not ExclusionRule.objects.filter(pk=exclusion_id).exists():
        raise NotFound("There is no such rule.")
    ended = ExclusionRule.objects.filter(pk=exclusion_id, ended_at=None).update(
        ended_at=actor.now, ended_by_name=actor.person_name[:120]
    )
    if ended:
        record(actor, "end_exclusion", "exclusion_rule", exclusion_id)
    return bool(ended)


def _settings_of(plan: AutomationPlan) -> Settings:
    recipients = SummaryRecipient.objects.filter(plan=plan).values_list("staff_member_id", flat=True)
    return Settings(
        plan.creates_invoices, plan.queues_claims, plan.starts_on, plan.look_back_days, plan.grouping,
        frozenset(recipients),
    )  # fmt: skip


def _write(actor: Actor, settings: Settings, before: AutomationPlan | None, link_base: str) -> AutomationPlan:
    night_on = first_night(
        starts_on=settings.starts_on,
        last_night_on=last_night(actor.now, actor.practice.time_zone),
        kept=before.first_night_on if before is not None and before.is_on else None,
    )
    try:
        with transaction.atomic():
            return AutomationPlan.objects.create(
                version=before.version + 1 if before else 1, made_at=actor.now, made_by_name=actor.person_name[:120],
                creates_invoices=settings.creates_invoices, queues_claims=settings.queues_claims,
                starts_on=settings.starts_on, look_back_days=settings.look_back_days, grouping=settings.grouping,
                first_night_on=night_on, link_base=link_base,
            )  # fmt: skip
    except IntegrityError as error:
        if "automation_plan_version_once" not in str(error):
            raise
        raise PlanChanged(
            "Somebody saved settings at the same moment. Nothing was changed: reload the page."
        ) from error


def _refuse_recipients(staff_member_ids: Collection[UUID]) -> None:
    refused = set(staff_member_ids) - {person.pk for person in may_get_summary()}
    if refused:
        raise RecipientNotAllowed(
            "The summary goes to active staff members with an e-mail address and the permission Billing, whose access "
            "is not limited to assigned clients. Nothing was changed: choose among those."
        )
