"""Diagnoses, in the order in which superbills and claims point at them (D3)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db.models import Q

from daysheet.audit.actions import record
from daysheet.clients.models import Diagnosis
from daysheet.clients.queries import get_diagnosis
from daysheet.clients.rules import MOST_DIAGNOSES, diagnosis_code
from daysheet.database.constraints import refusing
from daysheet.kit.dates import us_date
from daysheet.kit.errors import Refusal
from daysheet.kit.ids import new_id
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .clients import lock_client


class DiagnosisCodeWrong(Refusal):
    """The text is not shaped like an ICD-10-CM code."""

    code = "diagnosis_code_wrong"


class DiagnosisAlreadyThere(Refusal):
    """The client has that diagnosis already."""

    code = "diagnosis_already_there"


class TooManyDiagnoses(Refusal):
    """A claim holds twelve."""

    code = "too_many_diagnoses"


class DiagnosisEndsBeforeStart(Refusal):
    """The end is not after the start."""

    code = "diagnosis_ends_before_start"


@action(Permission.DEFAULT, audited=False)
def add_diagnosis(
    actor: Actor,
    client_id: UUID,
    *,
    code: str,
    starts_on: date,
    name: str = "",
    diagnosis_id: UUID | None = None,
) -> Diagnosis:
    """A diagnosis after those the client has; the same `diagnosis_id` again gives the first one back.
    Raises NotFound, DiagnosisCodeWrong, DiagnosisAlreadyThere, TooManyDiagnoses."""
    client = lock_client(actor, client_id)
    diagnosis_id = diagnosis_id or new_id()
    existing = Diagnosis.objects.filter(pk=diagnosis_id, client=client).first()
    if existing:
        return existing
    written = diagnosis_code(code)
    if written is None:
        raise DiagnosisCodeWrong(f"“{code}” is not an ICD-10 code. A letter, two digits, a point and more: X99.9.")
    standing = _standing(client_id, starts_on)
    if any(other.code == written for other in standing):
        raise DiagnosisAlreadyThere(f"The client has {written} already.")
    if len(standing) >= MOST_DIAGNOSES:
        raise TooManyDiagnoses(f"A claim holds {MOST_DIAGNOSES} diagnoses. End one of them first.")
    _close_ranks(standing)
    taken = DiagnosisAlreadyThere("This form gave another client a diagnosis before. Open it anew.")
    with refusing(clients_diagnosis_pkey=taken):
        diagnosis = Diagnosis.objects.create(
            pk=diagnosis_id,
            client=client,
            code=written,
            name=name.strip(),
            position=len(standing) + 1,
            starts_on=starts_on,
        )
    record(actor, "add_diagnosis", "diagnosis", diagnosis.pk, client_id=client.pk)
    return diagnosis


@action(Permission.DEFAULT, audited=False)
def end_diagnosis(actor: Actor, diagnosis_id: UUID, *, ends_on: date) -> None:
    """The diagnosis is in force no more from `ends_on` on. Raises NotFound, DiagnosisEndsBeforeStart."""
    diagnosis = _lock_diagnosis(actor, diagnosis_id)
    if ends_on <= diagnosis.starts_on:
        raise DiagnosisEndsBeforeStart(
            f"{diagnosis.code} begins on {us_date(diagnosis.starts_on)}: end it on a later day."
        )
    if diagnosis.ends_on != ends_on:
        Diagnosis.objects.filter(pk=diagnosis.pk).update(ends_on=ends_on)
        record(actor, "end_diagnosis", "diagnosis", diagnosis.pk, client_id=diagnosis.client_id)


@action(Permission.DEFAULT, audited=False)
def move_diagnosis_up(actor: Actor, diagnosis_id: UUID) -> None:
    """Change places with the one before: the first is what claims point at first. Raises NotFound."""
    diagnosis = _lock_diagnosis(actor, diagnosis_id)
    standing = _standing(diagnosis.client_id, actor.today)
    place = next((place for place, other in enumerate(standing) if other.pk == diagnosis.pk), 0)
    if place == 0:
        return
    standing[place - 1], standing[place] = standing[place], standing[place - 1]
    _close_ranks(standing)
    record(actor, "move_diagnosis_up", "diagnosis", diagnosis.pk, client_id=diagnosis.client_id)


def _lock_diagnosis(actor: Actor, diagnosis_id: UUID) -> Diagnosis:
    """The diagnosis, its client locked: the order among a client's diagnoses is one thing."""
    diagnosis = get_diagnosis(actor, diagnosis_id)
    lock_client(actor, diagnosis.client_id)
    diagnosis.refresh_from_db()
    return diagnosis


def _standing(client_id: UUID, day: date) -> list[Diagnosis]:
    """What is in force on `day` or later, in order."""
    lasting = Q(ends_on__isnull=True) | Q(ends_on__gt=day)
    return list(Diagnosis.objects.filter(lasting, client_id=client_id).order_by("position", "pk"))


def _close_ranks(standing: list[Diagnosis]) -> None:
    for position, diagnosis in enumerate(standing, start=1):
        if diagnosis.position != position:
            Diagnosis.objects.filter(pk=diagnosis.pk).update(position=position)
