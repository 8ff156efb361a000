"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import path

from .licenses import views as licenses
from .views import joining, members

app_name = "staff"
urlpatterns = [
    path("staff", members.staff_list, name="list"),
    path("staff/new", members.add, name="add"),
    path("staff/<uuid:staff_member>", members.details, name="details"),
    path("staff/<uuid:staff_member>/edit", members.edit, name="edit"),
    path("staff/<uuid:staff_member>/invite", members.invite, name="invite"),
    path("staff/<uuid:staff_member>/withdraw-invitation", members.withdraw_invitation, name="withdraw_invitation"),
    path("join/<str:token>", joining.join, name="join"),
    path("organization/licenses", licenses.licenses, name="licenses"),
    path("organization/licenses.csv", licenses.licenses_csv, name="licenses_csv"),
    path("organization/licenses/<uuid:license>", licenses.license, name="license"),
    path("staff/<uuid:staff_member>/assign-license", licenses.assign_license, name="assign_license"),
    path("staff/<uuid:staff_member>/cpt-access", licenses.cpt_access, name="cpt_access"),
]
