"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import path

from .licenses import views as licenses

app_name = "staff"
urlpatterns = [
    path("organization/licenses", licenses.licenses, name="licenses"),
    path("organization/licenses.csv", licenses.licenses_csv, name="licenses_csv"),
    path("organization/licenses/<uuid:license>", licenses.license, name="license"),
    path("staff/<uuid:staff_member>/assign-license", licenses.assign_license, name="assign_license"),
    path("staff/<uuid:staff_member>/cpt-access", licenses.cpt_access, name="cpt_access"),
]
