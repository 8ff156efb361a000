"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from .views import day_sheet

app_name = "reports"
urlpatterns: list[URLPattern] = [
    path("reports/", day_sheet.index, name="index"),
    path("reports/day-sheet/", day_sheet.day_sheet, name="day_sheet"),
    path("reports/day-sheet/close/", day_sheet.close, name="close_day"),
    path("reports/entries/", day_sheet.entries, name="entries"),
]
