"""Random histories of series: edits, moves, bills, cancellations, joiners, leavers, extensions and other repetitions in
any order. After each step a date of a rule has one appointment, the dates agree everywhere, and nobody has touched what
is billed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, time, timedelta
from random import Random
from uuid import UUID

import pytest

from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.kit.errors import Refusal
from daysheet.schedule.actions import ServiceChoice, move_appointment
from daysheet.schedule.following import read_standings
from daysheet.schedule.members import planned_services
from daysheet.schedule.models import Appointment, Visit, VisitService
from daysheet.schedule.repetition import change_repetition
from daysheet.schedule.series import cancel_appointments, edit_series, extend_series
from daysheet.schedule.series_outcome import Scope, Standing
from daysheet.schedule.series_rules import Frequency, Terms
from daysheet.schedule.statuses import set_status
from tests.billing import Clinic, build_clinic
from tests.people import Cast

from .weekly import check_series, shown, weekly

STEPS = 24


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


class _History:
    """One series of three clients, and what may happen to it."""

    def __init__(self, clinic: Clinic, dice: Random) -> None:
        self.clinic, self.dice = clinic, dice
        self.clients = [clinic.client(str(number)) for number in range(4)]
        rows = weekly(clinic, *self.clients[:3], count=7)
        root_id = rows[0].series_id
        assert root_id is not None
        self.root_id: UUID = root_id
        self.frozen: dict[UUID, tuple[object, ...]] = {}
        self.refused = 0

    def step(self) -> None:
        """Something happens, or is refused."""
        happenings: list[Callable[[], object]] = [self.edit, self.edit, self.move, self.bill, self.status, self.cancel,
                                                   self.members, self.extend, self.repeat]  # fmt: skip
        happening = self.dice.choice(happenings)
        try:
            happening()
        except Refusal:
            self.refused += 1

    def edit(self) -> None:
        row = self.any_row()
        changes = {"at": time(self.dice.randrange(6, 21)), "title": self.dice.choice(["", "Circle"])}
        name = self.dice.choice(sorted(changes))
        slot = replace(shown(row), **{name: changes[name]})
        slot = replace(slot, day=slot.day + timedelta(days=self.dice.randrange(-4, 5)))
        edit_series(self.clinic.owner, appointment_id=row.pk, scope=self.scope(), slot=slot, version=row.version)

    def move(self) -> None:
        row = self.any_row()
        slot = replace(shown(row), day=shown(row).day + timedelta(days=self.dice.randrange(-3, 4)), at=time(9, 45))
        move_appointment(self.clinic.owner, appointment_id=row.pk, slot=slot, version=row.version)

    def bill(self) -> None:
        visit = self.any_visit()
        bill_visit(self.clinic.biller, visit_id=visit.pk)
        self.frozen[visit.pk] = self.facts(visit.pk)

    def status(self) -> None:
        kept = self.dice.choice(["kept", "canceled", "rescheduled", "upcoming"])
        set_status(self.clinic.owner, visit_id=self.any_visit().pk, status=kept, initiated_by="practice")

    def cancel(self) -> None:
        cancel_appointments(
            self.clinic.owner, appointment_id=self.any_row().pk, scope=Scope.THIS, initiated_by="practice"
        )

    def members(self) -> None:
        row = self.any_row()
        some = self.dice.sample(self.clients, self.dice.randrange(1, 5))
        there = planned_services(row.pk)
        members = {
            client: [ServiceChoice(each) for each in there.get(client, [self.clinic.talk.pk])] for client in some
        }
        edit_series(self.clinic.owner, appointment_id=row.pk, scope=self.scope(), slot=shown(row), members=members)

    def extend(self) -> None:
        last_on = max(row.occurrence_on or date.min for row in Appointment.objects.all())
        extend_series(self.clinic.owner, root_id=self.root_id, last_on=last_on, count=1)

    def repeat(self) -> None:
        row = self.any_row()
        frequency = self.dice.choice(list(Frequency))
        weekdays = self.dice.sample(range(7), self.dice.randrange(3)) if frequency is Frequency.WEEKLY else []
        terms = Terms(frequency, self.dice.randrange(1, 4), frozenset(weekdays), count=self.dice.randrange(1, 9))
        rows = list(Appointment.objects.all())
        alone = {key for key, standing in read_standings(rows).items() if standing is not Standing.OPEN} - {row.pk}
        before = {each.pk: (each.starts_at, each.staff_member_id) for each in rows}
        change_repetition(
            self.clinic.owner, appointment_id=row.pk, scope=self.scope(), terms=terms, version=row.version
        )
        after = {each.pk: (each.starts_at, each.staff_member_id) for each in Appointment.objects.all()}
        assert before.keys() <= after.keys(), "nothing is deleted"
        assert {key: after[key] for key in alone} == {key: before[key] for key in alone}

    def scope(self) -> Scope:
        return self.dice.choice([Scope.FOLLOWING, Scope.FOLLOWING, Scope.FUTURE])

    def any_row(self) -> Appointment:
        return self.dice.choice(list(Appointment.objects.order_by("pk")))

    def any_visit(self) -> Visit:
        return self.dice.choice(list(Visit.objects.order_by("pk")))

    @staticmethod
    def facts(visit_id: UUID) -> tuple[object, ...]:
        """What is frozen of a billed visit (S5)."""
        visit = Visit.objects.select_related("appointment").get(pk=visit_id)
        at = visit.appointment
        services = VisitService.objects.filter(visit=visit_id).exclude(line_id=None).order_by("pk")
        billed = tuple(services.values_list("pk", "service_type_id", "service_on"))
        return (visit.appointment_id, visit.service_on, at.starts_at, at.ends_at, at.staff_member_id, billed)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_a_series_stays_one_and_billed_visits_stay_as_billed(clinic: Clinic, seed: int) -> None:
    history = _History(clinic, Random(seed))
    for _ in range(STEPS):
        history.step()
        check_series()
        for visit_id, facts in history.frozen.items():
            assert history.facts(visit_id) == facts
        assert all(count >= 1 for count in _members().values())
    assert history.refused < STEPS


def _members() -> dict[UUID, int]:
    found = {row.pk: 0 for row in Appointment.objects.all()}
    for appointment_id in Visit.objects.values_list("appointment_id", flat=True):
        found[appointment_id] += 1
    return found
