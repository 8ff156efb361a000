"""Service types and their rates."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.database.constraints import refusing
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import ServiceType
from ..queries import FEE_FLAGS, get_service_type
from ..rules import NON_CPT, PER_MINUTES, code_problem


class ServiceCodeWrong(Refusal):
    """The code does not fit its kind."""

    code = "service_code_wrong"


class ServiceCodeTaken(Refusal):
    """Another service type in use has the code."""

    code = "service_code_taken"


class ServiceNameMissing(Refusal):
    """The name is empty."""

    code = "service_name_missing"


class UnitRuleWrong(Refusal):
    """Units or minutes below one."""

    code = "unit_rule_wrong"


class FeeAlreadyThere(Refusal):
    """Another service type in use is the No Show, Late Cancel or Canceled fee."""

    code = "fee_already_there"


class FeeIsNotCpt(Refusal):
    """A fee for a visit that did not happen is never a CPT or HCPCS code (S1)."""

    code = "fee_is_not_cpt"


@action(Permission.ADMINISTRATOR, audited=False)
def add_service_type(
    actor: Actor,
    /,
    *,
    code: str,
    name: str,
    kind: str,
    rate_cents: int,
    service_type_id: UUID | None = None,
    **facts: Any,
) -> ServiceType:
    """A thing that can be billed, at `rate_cents` a unit; the same `service_type_id` again gives the first one back.
    Raises ServiceCodeWrong, ServiceCodeTaken, ServiceNameMissing, UnitRuleWrong, FeeAlreadyThere, FeeIsNotCpt."""
    values = _clean(facts | {"code": code, "name": name, "kind": kind, "rate_cents": rate_cents})
    service_type_id = service_type_id or new_id()
    _check(ServiceType(**values))
    with _unique(values["code"]):
        service, created = ServiceType.objects.get_or_create(pk=service_type_id, defaults=values)
    if created:
        record(actor, "add_service_type", "service_type", service.pk, code=service.code, rate_cents=rate_cents)
    return service


@action(Permission.ADMINISTRATOR, audited=False)
def edit_service_type(actor: Actor, /, service_type_id: UUID, **facts: Any) -> None:
    """Change facts of a service type, for what is billed from now on. Raises NotFound and as add_service_type."""
    service = get_service_type(actor, service_type_id)
    changed = {name: value for name, value in _clean(facts).items() if getattr(service, name) != value}
    if not changed:
        return
    before = {name: getattr(service, name) for name in changed}
    for name, value in changed.items():
        setattr(service, name, value)
    _check(service)
    with _unique(service.code):
        ServiceType.objects.filter(pk=service.pk).update(**changed)
    changes = {name: [before[name], value] for name, value in changed.items()}
    record(actor, "edit_service_type", "service_type", service.pk, changes=changes)


@action(Permission.ADMINISTRATOR, audited=False)
def archive_service_type(actor: Actor, service_type_id: UUID) -> None:
    """Take a service type out of use: it can be chosen no more. Nothing that has it changes. Raises NotFound."""
    service = get_service_type(actor, service_type_id)
    if ServiceType.objects.filter(pk=service.pk, archived_at=None).update(archived_at=actor.now):
        record(actor, "archive_service_type", "service_type", service.pk, code=service.code)


@action(Permission.ADMINISTRATOR, audited=False)
def restore_service_type(actor: Actor, service_type_id: UUID) -> None:
    """Put a service type back into use. Raises NotFound, ServiceCodeTaken, FeeAlreadyThere."""
    service = get_service_type(actor, service_type_id)
    with _unique(service.code):
        restored = ServiceType.objects.filter(pk=service.pk, archived_at__isnull=False).update(archived_at=None)
    if restored:
        record(actor, "restore_service_type", "service_type", service.pk, code=service.code)


@action(Permission.ADMINISTRATOR, audited=False)
def set_fee_services(actor: Actor, *, chosen: Mapping[str, UUID | None]) -> None:
    """Which service types are the practice's fees (S1): for each of FEE_FLAGS one in use, or none. Takes the mark off
    whichever had it. Raises NotFound, FeeIsNotCpt."""
    marked = list(ServiceType.objects.filter(archived_at=None).select_for_update(no_key=True))
    by_id = {service.pk: service for service in marked}
    before = {flag: next((each.pk for each in marked if getattr(each, flag)), None) for flag in FEE_FLAGS}
    changed = {flag: chosen[flag] for flag in FEE_FLAGS if chosen[flag] != before[flag]}
    for flag, service_type_id in changed.items():
        if service_type_id is not None and service_type_id not in by_id:
            raise NotFound("There is no such service type in use.")
        if service_type_id is not None and by_id[service_type_id].kind != NON_CPT:
            raise FeeIsNotCpt("A fee for a missed visit is a Non-CPT service: nothing was performed that has a code.")
        # The mark is taken off first: there is one of each.
        for marked_id, is_fee in ((before[flag], False), (service_type_id, True)):
            if marked_id is not None:
                ServiceType.objects.filter(pk=marked_id).update(**{flag: is_fee})
    if changed:
        changes = {flag: [_code_of(by_id, before[flag]), _code_of(by_id, chosen[flag])] for flag in changed}
        record(actor, "set_fee_services", "practice", actor.practice.id, changes=changes)


def _code_of(services: Mapping[UUID, ServiceType], service_type_id: UUID | None) -> str:
    return services[service_type_id].code if service_type_id else ""


def _clean(facts: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {name: value.strip() if isinstance(value, str) else value for name, value in facts.items()}
    if "code" in values:
        values["code"] = values["code"].upper()
    if "modifiers" in values:
        values["modifiers"] = list(values["modifiers"])
    return values


def _check(service: ServiceType) -> None:
    problem = code_problem(service.kind, service.code)
    if problem:
        raise ServiceCodeWrong(problem)
    if not service.name:
        raise ServiceNameMissing("Enter what the service is called on invoices.")
    if service.unit_count < 1:
        what = "minutes" if service.unit_rule == PER_MINUTES else "units"
        raise UnitRuleWrong(f"The number of {what} must be at least 1.")
    if service.fee_words and service.kind != NON_CPT:
        raise FeeIsNotCpt(f"A {service.fee_words} is a Non-CPT service: nothing was performed that has a code.")


def _unique(code: str) -> AbstractContextManager[None]:
    """The database's own refusals, in words; nothing was saved."""
    return refusing(
        service_code_once=ServiceCodeTaken(f"Another service type in use has the code {code}. Archive that one first."),
        service_one_no_show_fee=FeeAlreadyThere("Another service type is the No Show fee. Untick it there first."),
        service_one_late_cancel_fee=FeeAlreadyThere(
            "Another service type is the Late Cancel fee. Untick it there first."
        ),
        service_one_canceled_fee=FeeAlreadyThere("Another service type is the Canceled fee. Untick it there first."),
    )
