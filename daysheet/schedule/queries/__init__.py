"""Reads of the schedule."""

from .appointments import AppointmentDetails, appointment_details, client_name, client_visits
from .calendar import CalendarDay, CalendarSlot, CalendarWeek, calendar_month, calendar_week
from .day import AppointmentRow, VisitRow, agenda_day, location_choices, one_visit, staff_choices, visit_rows
from .feed import feed_events
from .statuses import StatusChoice, StatusPage, status_page

__all__ = [
    "AppointmentDetails",
    "AppointmentRow",
    "CalendarDay",
    "CalendarSlot",
    "CalendarWeek",
    "StatusChoice",
    "StatusPage",
    "VisitRow",
    "agenda_day",
    "appointment_details",
    "calendar_month",
    "calendar_week",
    "client_name",
    "client_visits",
    "feed_events",
    "location_choices",
    "one_visit",
    "staff_choices",
    "status_page",
    "visit_rows",
]
