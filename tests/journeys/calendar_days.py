"""A week of its own for the Calendar: overlapping appointments, a group, telehealth, every status, a crowded day."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from .practice import _Builder


def calendar_monday(today: date) -> date:
    """The Monday of a week that no other journey looks at."""
    day = today - timedelta(days=560)
    return day - timedelta(days=day.weekday())


def a_week_of_appointments(builder: _Builder) -> None:
    """Monday: three people side by side, a group, telehealth, what was missed. Tuesday: twenty-two at once."""
    from daysheet.invoicing.actions import bill_visit
    from daysheet.schedule.actions import ServiceChoice, Slot, add_appointment
    from daysheet.schedule.models import Visit
    from daysheet.schedule.statuses import set_status

    monday = calendar_monday(builder.practice.today)

    def book(
        names: str, at: time, minutes: int = 50, *, staff: str = "carol", status: str = "", day: date = monday,
        place: str = "", title: str = "",
    ) -> list[UUID]:  # fmt: skip
        members = [builder.client(first, "Calendar") for first in names.split()]
        slot = Slot(day, at, minutes, UUID(builder.practice.staff[staff]), builder.location_id, place, title)
        appointment = add_appointment(
            builder.owner, slot=slot, members={client: [ServiceChoice(builder.letter)] for client in members}
        )
        builder.practice.appointments[f"calendar_{names.split()[0].lower()}"] = str(appointment)
        visits = list(Visit.objects.filter(appointment_id=appointment).values_list("pk", flat=True))
        for visit in visits if status else ():
            set_status(
                builder.owner, visit_id=visit, status=status, initiated_by="client", fee_waived_reason="First time"
            )
        return visits

    (kept,) = book("Cleo", time(9), status="kept")
    bill_visit(builder.owner, visit_id=kept)
    book("Cyrus", time(9), staff="nora")
    book("Celia", time(9, 30), staff="otto", status="kept")
    one, *_ = book("Cora2 Carl Cass", time(11), 90, title="Monday circle")
    set_status(builder.owner, visit_id=one, status="no_show", fee_waived_reason="First time")
    book("Clara", time(13), 25, place="10", status="late_cancel")
    book("Conor", time(13, 30), 25, status="canceled")
    book("Chloe", time(14), 15, status="no_show")
    book("Cyril", time(14, 15), 15)
    book("Dolores", time(10), day=monday + timedelta(days=3))
    book("Darius", time(15), 30, day=monday + timedelta(days=3))
    book("Carmine", time(19), 60, status="rescheduled", day=monday + timedelta(days=2))
    for number in range(22):
        book(f"Crowd{number}", time(10, 5 * (number % 4)), 45, day=monday + timedelta(days=1))
