"""What each step asks, begins with and does: its form, and the action that the form calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.forms import Form, model_to_dict
from django.http import QueryDict

from daysheet.clients.actions import add_client
from daysheet.practices.actor import Actor
from daysheet.schedule.actions import ServiceChoice, add_appointment
from daysheet.schedule.queries import location_choices, staff_choices
from daysheet.services.actions import add_service_type
from daysheet.staff.organization.queries import practice_settings

from . import queries
from .actions import become_provider, introduce_practice
from .forms import AppointmentStepForm, ClientStepForm, PracticeStepForm, ProviderStepForm, ServiceStepForm
from .rules import Step

#: The usual units: one, whatever the length (S2).
_ONE_UNIT: dict[str, Any] = {"unit_rule": "always", "unit_count": 1, "bills_insurance": True}


@dataclass(frozen=True, slots=True)
class Asking:
    """A step's form, what its page needs beside it, and what saving does with the typed values."""

    form: Form
    save: Callable[[], object]
    done: str
    context: dict[str, Any]


def asking(actor: Actor, step: Step, sent: QueryDict | None) -> Asking | None:
    """The form of a step, filled with what was sent; None for the last one, which is a button."""
    makers = {
        Step.PRACTICE: _practice, Step.SERVICES: _services, Step.PROVIDER: _provider, Step.CLIENT: _client,
        Step.APPOINTMENT: _appointment,
    }  # fmt: skip
    return makers[step](actor, sent) if step in makers else None


def _practice(actor: Actor, sent: QueryDict | None) -> Asking:
    practice = practice_settings(actor)
    facts = model_to_dict(practice, fields=list(PracticeStepForm.base_fields))
    form = PracticeStepForm(sent, initial=facts, asks_location=not queries.has_location(actor))
    return Asking(form, lambda: introduce_practice(actor, **form.cleaned_data), "Your practice is introduced.", {})


def _services(actor: Actor, sent: QueryDict | None) -> Asking:
    form = ServiceStepForm(sent, initial={"kind": "cpt", "default_minutes": 50})
    return Asking(
        form,
        lambda: add_service_type(actor, **form.cleaned_data, **_ONE_UNIT),
        "The service type was added.",
        {"services": queries.first_services(actor)},
    )


def _provider(actor: Actor, sent: QueryDict | None) -> Asking:
    person, fee_cents = queries.myself(actor), practice_settings(actor).cpt_license_fee_cents
    asks = queries.has_cpt_service(actor) and not queries.holds_license(actor)
    initial: dict[str, Any] = {"fee_cents": fee_cents or None, "paid_on": None}
    if person:
        initial |= {"credentials": person.credentials, "npi": person.npi}
    form = ProviderStepForm(sent, initial=initial, year=actor.today.year, asks_license=asks)
    return Asking(
        form,
        lambda: become_provider(actor, **form.cleaned_data),
        "You can be chosen as a provider.",
        {"person": person, "asks_license": asks, "year": actor.today.year},
    )


def _client(actor: Actor, sent: QueryDict | None) -> Asking:
    form = ClientStepForm(sent)
    return Asking(form, lambda: add_client(actor, **form.cleaned_data), "The client was added.", {})


def _appointment(actor: Actor, sent: QueryDict | None) -> Asking:
    clients, services = queries.newest_clients(actor), queries.first_services(actor)
    choices = [(service.pk, service.label) for service in services]
    people, places = staff_choices(actor), location_choices(actor)
    missing = {Step.CLIENT: clients, Step.SERVICES: services, Step.PROVIDER: people, Step.PRACTICE: places}
    initial: dict[str, Any] = {"day": actor.today, "at": f"{_last_full_hour(actor.now, actor.practice.time_zone)}:00"}
    initial |= {"minutes": services[0].default_minutes if services else 50}
    initial |= {"staff": _own_or_first(actor.staff_member_id, people), "location": str(places[0][0]) if places else ""}
    form = AppointmentStepForm(sent, actor=actor, initial=initial, clients=clients, services=choices)
    return Asking(
        form,
        lambda: add_appointment(
            actor, slot=form.slot, appointment_id=form.cleaned_data["appointment_id"],
            members={form.cleaned_data["client"]: [ServiceChoice(form.cleaned_data["service"])]},
        ),
        "The appointment stands on the Agenda.",
        {"missing": [step for step in Step if step in missing and not missing[step]]},
    )  # fmt: skip


def _own_or_first(own_id: UUID | None, people: list[tuple[UUID, str]]) -> str:
    ids = [str(key) for key, _ in people]
    return str(own_id) if str(own_id) in ids else next(iter(ids), "")


def _last_full_hour(now: datetime, time_zone: str) -> str:
    """The hour before this one in practice time, so that the appointment is over and can be billed; `00` at night."""
    return f"{max(now.astimezone(ZoneInfo(time_zone)).hour - 1, 0):02d}"
