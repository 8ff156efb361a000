"""Reads of the schedule."""

from .appointments import AppointmentDetails, appointment_details, client_name, client_visits
from .calendar import CalendarDay, CalendarSlot, CalendarWeek, calendar_month, calendar_week
from .conflicts import Conflict, Wanted, conflicts, conflicts_of
from .day import (
    AppointmentRow,
    DayTotals,
    VisitRow,
    agenda_day,
    day_totals,
    location_choices,
    one_visit,
    staff_choices,
    visit_rows,
)
from .feed import feed_events
from .series import (
    OccurrenceRow,
    SeriesFacts,
    occurrence_rows,
    repeat_in_force,
    series_appointments,
    series_facts,
    series_people,
)
from .statuses import StatusChoice, StatusPage, status_page

__all__ = [
    "AppointmentDetails",
    "AppointmentRow",
    "CalendarDay",
    "CalendarSlot",
    "CalendarWeek",
    "Conflict",
    "DayTotals",
    "OccurrenceRow",
    "SeriesFacts",
    "StatusChoice",
    "StatusPage",
    "VisitRow",
    "Wanted",
    "agenda_day",
    "appointment_details",
    "calendar_month",
    "calendar_week",
    "client_name",
    "client_visits",
    "conflicts",
    "conflicts_of",
    "day_totals",
    "feed_events",
    "location_choices",
    "occurrence_rows",
    "one_visit",
    "repeat_in_force",
    "series_appointments",
    "series_facts",
    "series_people",
    "staff_choices",
    "status_page",
    "visit_rows",
]
