"""Writes about service types and prices. What is billed already does not move: its lines froze their terms (B9)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import date
from typing import Any
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.clients.actions import lock_client
from daysheet.clients.models import Payer
from daysheet.clients.rules import ranges_overlap
from daysheet.database.constraints import refusing
from daysheet.kit.dates import us_date
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .models import ClientService, PayerRate, ServiceType
from .queries import FEE_FLAGS, get_service_type
from .rules import NON_CPT, PER_MINUTES, code_problem


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


class RateOverlaps(Refusal):
    """The payer has another rate for the service on a day of this one."""

    code = "rate_overlaps"


class RateEndsBeforeStart(Refusal):
    """The end is not after the start."""

    code = "rate_ends_before_start"


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


@action(Permission.BILLING, audited=False)
def set_client_service(
    actor: Actor,
    client_id: UUID,
    service_type_id: UUID,
    *,
    is_default: bool = False,
    set_payment_amount_cents: int | None = None,
) -> None:
    """Whether the client's appointments begin with a service (S2), and the client's own amount per unit of it (B10).
    Neither: the agreement is gone. Raises NotFound."""
    client = lock_client(actor, client_id)
    service = get_service_type(actor, service_type_id)
    agreed = ClientService.objects.filter(client=client, service_type=service)
    terms = {"is_default": is_default, "set_payment_amount_cents": set_payment_amount_cents}
    current = agreed.values(*terms).first()
    if current == terms or (current is None and terms == _NOTHING_AGREED):
        return
    if terms == _NOTHING_AGREED:
        agreed.delete()
    elif current is None:
        ClientService.objects.create(client=client, service_type=service, **terms)
    else:
        agreed.update(**terms)
    record(actor, "set_client_service", "client", client.pk, client_id=client.pk, code=service.code, **terms)


@action(Permission.BILLING, audited=False)
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
    """A payer's rate per unit of a service on [starts_on, ends_on). One without an end replaces the one before it: that
    ends where this begins. The same `rate_id` again gives the first one back.
    Raises NotFound, RateOverlaps, RateEndsBeforeStart."""
    payer = _lock_payer(payer_id)
    service = get_service_type(actor, service_type_id)
    rate_id = rate_id or new_id()
    standing = list(PayerRate.objects.filter(payer=payer, service_type=service))
    existing = next((rate for rate in standing if rate.pk == rate_id), None)
    if existing:
        return existing
    _check_range(starts_on, ends_on)
    _make_room(standing, starts_on, ends_on)
    rate = PayerRate.objects.create(
        pk=rate_id, payer=payer, service_type=service, rate_cents=rate_cents, starts_on=starts_on, ends_on=ends_on
    )
    record(
        actor, "add_payer_rate", "payer", payer.pk, code=service.code, rate_cents=rate_cents, from_day=str(starts_on)
    )
    return rate


@action(Permission.BILLING, audited=False)
def end_payer_rate(actor: Actor, rate_id: UUID, *, ends_on: date) -> None:
    """The rate is in force no more from `ends_on` on. Raises NotFound, RateEndsBeforeStart."""
    rate = PayerRate.objects.filter(pk=rate_id).select_for_update().first()
    if rate is None:
        raise NotFound("There is no such rate.")
    _check_range(rate.starts_on, ends_on)
    if rate.ends_on and rate.ends_on < ends_on:
        raise RateEndsBeforeStart(f"This rate ended on {us_date(rate.ends_on)} already. Add a new one instead.")
    if rate.ends_on != ends_on:
        PayerRate.objects.filter(pk=rate.pk).update(ends_on=ends_on)
        record(actor, "end_payer_rate", "payer", rate.payer_id, rate_id=str(rate.pk), ends_on=str(ends_on))


def _code_of(services: Mapping[UUID, ServiceType], service_type_id: UUID | None) -> str:
    return services[service_type_id].code if service_type_id else ""


_NOTHING_AGREED = {"is_default": False, "set_payment_amount_cents": None}


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


def _check_range(starts_on: date, ends_on: date | None) -> None:
    if ends_on and ends_on <= starts_on:
        raise RateEndsBeforeStart(f"The rate begins on {us_date(starts_on)}: it must end on a later day.")


def _lock_payer(payer_id: UUID) -> Payer:
    """The insurer, locked: its fee schedule is changed by one transaction at a time."""
    payer = Payer.objects.filter(pk=payer_id).select_for_update(no_key=True).first()
    if payer is None:
        raise NotFound("There is no such insurer.")
    return payer


def _make_room(standing: list[PayerRate], starts_on: date, ends_on: date | None) -> None:
    for other in standing:
        if not ranges_overlap((other.starts_on, other.ends_on), (starts_on, ends_on)):
            continue
        if ends_on is not None or other.ends_on is not None or other.starts_on >= starts_on:
            until = f"until {us_date(other.ends_on)}" if other.ends_on else "without an end"
            raise RateOverlaps(
                f"There is a rate for this service from {us_date(other.starts_on)} {until}. "
                "Nothing was saved: end it first."
            )
        PayerRate.objects.filter(pk=other.pk).update(ends_on=starts_on)
