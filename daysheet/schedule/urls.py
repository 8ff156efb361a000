"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views

app_name = "schedule"
urlpatterns: list[URLPattern] = [
    path("agenda/", views.agenda, name="agenda"),
    path("calendar/", views.calendar, name="calendar"),
    path("appointments/new/", views.add_appointment, name="add_appointment"),
    path("appointments/<uuid:appointment>/", views.appointment, name="appointment"),
    path("visits/<uuid:visit>/status/", views.change_status, name="change_status"),
    path("clients/<uuid:client>/appointments/", views.client_appointments, name="client_appointments"),
]
