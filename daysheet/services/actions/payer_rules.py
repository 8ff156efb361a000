"""Modifiers and places of service by insurer. Like a rate, a rule is stored with its first day alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.database.constraints import refusing
from daysheet.kit.dates import us_date
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import PayerRule, ServiceType
from ..queries import get_service_type
from .fee_schedules import lock_payer


class RuleAlreadyThere(Refusal):
    """Another rule for the same service type and place begins on that day."""

    code = "rule_already_there"


class RuleEndsBeforeStart(Refusal):
    """The end is not after the start, or after the day on which the next rule begins."""

    code = "rule_ends_before_start"


@action(Permission.ADMINISTRATOR, audited=False)
def add_payer_rule(
    actor: Actor,
    payer_id: UUID,
    *,
    starts_on: date,
    service_type_id: UUID | None = None,
    place_of_service: str = "",
    added_modifiers: Sequence[str] = (),
    billed_place_of_service: str = "",
    rule_id: UUID | None = None,
) -> PayerRule:
    """What the payer wants for a service type (None: all) at a place (empty: any) from `starts_on` until the next rule
    for the same begins. A rule that adds nothing is one too: it excepts its case from a wider rule. The same `rule_id`
    again gives the first one back. Raises NotFound, RuleAlreadyThere."""
    payer = lock_payer(payer_id)
    service = get_service_type(actor, service_type_id) if service_type_id else None
    wanted = {
        "payer": payer,
        "service_type": service,
        "place_of_service": place_of_service,
        "starts_on": starts_on,
        "added_modifiers": list(added_modifiers),
        "billed_place_of_service": billed_place_of_service,
    }
    taken = RuleAlreadyThere(
        f"A rule for this service type and place begins on {us_date(starts_on)} already. Nothing was saved: remove "
        "that one first, or choose another day."
    )
    with refusing(payer_rule_once=taken):
        rule, created = PayerRule.objects.get_or_create(pk=rule_id or new_id(), defaults=wanted)
    if created:
        record(actor, "add_payer_rule", "payer", payer.pk, **_details(rule, service))
    return rule


@action(Permission.ADMINISTRATOR, audited=False)
def end_payer_rule(actor: Actor, rule_id: UUID, *, ends_on: date) -> None:
    """From `ends_on` on there is no such rule; a wider one holds. Raises NotFound, RuleEndsBeforeStart."""
    rule = _locked_rule(rule_id)
    if ends_on <= rule.starts_on:
        raise RuleEndsBeforeStart(f"The rule begins on {us_date(rule.starts_on)}: it must end on a later day.")
    case = {
        "payer_id": rule.payer_id,
        "service_type_id": rule.service_type_id,
        "place_of_service": rule.place_of_service,
    }
    following = PayerRule.objects.filter(**case, starts_on__gt=rule.starts_on).order_by("starts_on").first()
    if following and following.starts_on == ends_on and following.is_end:
        return
    if following and following.starts_on <= ends_on:
        raise RuleEndsBeforeStart(
            f"This rule ends on {us_date(following.starts_on)} already, where the next one begins. Nothing was saved."
        )
    end = PayerRule.objects.create(**case, starts_on=ends_on, is_end=True)
    record(actor, "end_payer_rule", "payer", rule.payer_id, **_details(end, rule.service_type))


@action(Permission.ADMINISTRATOR, audited=False)
def remove_payer_rule(actor: Actor, rule_id: UUID) -> None:
    """Take a rule, or an end, away: what held before it reaches on. Raises NotFound."""
    rule = _locked_rule(rule_id)
    PayerRule.objects.filter(pk=rule.pk).delete()
    record(actor, "remove_payer_rule", "payer", rule.payer_id, **_details(rule, rule.service_type))


def _locked_rule(rule_id: UUID) -> PayerRule:
    rule = PayerRule.objects.filter(pk=rule_id).select_related("service_type").first()
    if rule is None:
        raise NotFound("There is no such rule.")
    lock_payer(rule.payer_id)
    return rule


def _details(rule: PayerRule, service: ServiceType | None) -> dict[str, Any]:
    return {
        "rule_id": str(rule.pk),
        "code": service.code if service else "",
        "place_of_service": rule.place_of_service,
        "from_day": str(rule.starts_on),
        "added_modifiers": list(rule.added_modifiers),
        "billed_place_of_service": rule.billed_place_of_service,
    }
