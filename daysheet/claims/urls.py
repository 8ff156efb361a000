"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views

app_name = "claims"
urlpatterns: list[URLPattern] = [
    path("billing/claims/", views.waiting, name="list"),
    path("billing/claims/<uuid:claim>/withdraw/", views.withdraw, name="withdraw"),
    path("invoices/<int:number>/claim/", views.add, name="add"),
]
