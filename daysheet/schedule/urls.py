"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from .views import agenda, appointments, calendar, feed, moving, repetition, series, statuses

app_name = "schedule"
urlpatterns: list[URLPattern] = [
    path("agenda/", agenda.agenda, name="agenda"),
    path("calendar/", calendar.calendar, name="calendar"),
    path("calendar/feeds/<str:feed>.ics", feed.feed, name="feed"),
    path("account/calendar-feed/", feed.calendar_feed, name="calendar_feed"),
    path("account/calendar-feed/stop/", feed.stop_calendar_feed, name="stop_calendar_feed"),
    path("staff/<uuid:staff_member>/calendar-feed/stop/", feed.stop_feed_of, name="stop_feed_of"),
    path("appointments/new/", appointments.add_appointment, name="add_appointment"),
    path("appointments/<uuid:appointment>/", appointments.appointment, name="appointment"),
    path("appointments/<uuid:appointment>/move/", moving.move_appointment, name="move_appointment"),
    path("appointments/<uuid:appointment>/cancel/", series.cancel_appointment, name="cancel_appointment"),
    path("appointments/<uuid:occurrence>/repetition/", repetition.change_repetition, name="change_repetition"),
    path("series/<uuid:series>/", series.series, name="series"),
    path("visits/<uuid:visit>/status/", statuses.change_status, name="change_status"),
    path("organization/cancellation-policy/", statuses.cancellation_policy, name="cancellation_policy"),
    path("clients/<uuid:client>/appointments/", appointments.client_appointments, name="client_appointments"),
]
