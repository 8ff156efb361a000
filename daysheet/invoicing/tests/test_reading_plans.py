"""The door's reads do not go quadratic where PostgreSQL's statistics know nothing of a practice: a new one, or one that
was just imported, on a server that has others."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from typing import Any

from daysheet.clients.models import Client
from daysheet.config.tests.damage import owner_says
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.candidates import read_candidates
from daysheet.invoicing.queries.batch_search import SearchFilters, find_first_dates
from daysheet.practices.actor import system_actor
from daysheet.practices.models import Location
from daysheet.schedule.models import Appointment, Visit, VisitService
from daysheet.services.models import ServiceType
from daysheet.staff.models import StaffMember
from tests.people import NOW, Cast
from tests.plans import asked_of_database, rows_touched

SIZE = 300
_DAY = date(2026, 11, 2)


def _visits(practice_id: int, statuses: tuple[str, ...] = ("kept",)) -> list[Any]:
    """A practice with SIZE visits of one service each, of these statuses in turn; returns the services' ids. What was
    canceled has its service put aside; who did not show is charged a fee."""
    with practice_transaction(practice_id):
        location = Location.objects.create(name="Main", place_of_service="11")
        service = ServiceType.objects.create(code="9T001", name="Talk", kind="cpt", rate_cents=15000)
        client = Client.objects.create(first_name="Ana", last_name="Ruiz")
        staff = StaffMember.objects.first()
        starts = datetime(2026, 11, 2, 15, tzinfo=UTC)
        slots = Appointment.objects.bulk_create(
            Appointment(
                service_on=_DAY, starts_at=starts, ends_at=starts + timedelta(minutes=50), location=location,
                staff_member=staff,
            )
            for _ in range(SIZE)
        )  # fmt: skip
        visits = Visit.objects.bulk_create(
            Visit(appointment=slot, client=client, service_on=_DAY, status=status)
            for slot, status in zip(slots, cycle(statuses), strict=False)
        )
        services = VisitService.objects.bulk_create(
            VisitService(
                visit=visit, service_type=service, position=1, service_on=_DAY,
                is_suspended=visit.status == "canceled", is_fee=visit.status == "no_show",
            )
            for visit in visits
        )  # fmt: skip
        return [each.pk for each in services]


def _unknown_to_statistics(live_cast: Cast, statuses: tuple[str, ...] = ("kept",)) -> list[Any]:
    """Visits of Alder, of which PostgreSQL's statistics know nothing, while they know Birch's."""
    _visits(live_cast.birch.id, statuses)
    owner_says("ANALYZE")
    return _visits(live_cast.alder.id, statuses)


def test_candidates_of_a_practice_that_the_statistics_do_not_know(live_cast: Cast) -> None:
    ids = _unknown_to_statistics(live_cast)
    with practice_transaction(live_cast.alder.id):
        with asked_of_database() as asked:
            found = read_candidates(system_actor(live_cast.alder, NOW), ids, lock=True)
        assert len(found.unbilled) == SIZE
        touched = rows_touched(asked)
    # Once each service, visit, appointment and location; with the worst choice of index one table for each of them;
    # never one table for each row of another.
    assert touched < 8 * SIZE * SIZE, touched


def test_a_batch_search_of_a_practice_that_the_statistics_do_not_know(live_cast: Cast) -> None:
    _unknown_to_statistics(live_cast, ("kept", "canceled", "no_show"))
    with practice_transaction(live_cast.alder.id):
        with asked_of_database() as asked:
            found = find_first_dates(system_actor(live_cast.alder, NOW), SearchFilters(_DAY, _DAY), 50)
        assert (found.date_count, found.ticked_count) == (SIZE, SIZE * 2 // 3)
        touched = rows_touched(asked)
    assert touched < 20 * SIZE, touched
