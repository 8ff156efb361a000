"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import path

from .views import nights, settings

app_name = "automation"
urlpatterns = [
    path("organization/automation/", settings.automation, name="automation"),
    path("organization/automation/edit/", settings.edit, name="edit"),
    path("organization/automation/rules/new/", settings.add_rule, name="add_rule"),
    path("organization/automation/rules/<uuid:rule>/end/", settings.end_rule, name="end_rule"),
    path("organization/automation/dry-run/", nights.dry_run_page, name="dry_run"),
    path("organization/automation/nights/<uuid:night>/", nights.night, name="night"),
]
