"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views

app_name = "schedule"
urlpatterns: list[URLPattern] = [
    path("agenda/", views.agenda, name="agenda"),
    path("visits/<uuid:visit>/status/", views.change_status, name="change_status"),
]
