"""Addresses of the organization's own pages, under `/<practice>/`."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "practices"
urlpatterns = [
    path("account", views.my_account, name="my_account"),
    path("organization/settings", views.settings, name="settings"),
    path("organization/sign-in", views.sign_in_rules, name="sign_in_rules"),
    path("organization/locations", views.locations, name="locations"),
    path("organization/locations/new", views.add_location, name="add_location"),
    path("organization/locations/<uuid:location>", views.location, name="location"),
]
