"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from .views import ledger, taking

app_name = "payments"
urlpatterns: list[URLPattern] = [
    path("clients/<uuid:client>/ledger/", ledger.ledger, name="ledger"),
    path("clients/<uuid:client>/billing-notes/", ledger.add_note, name="add_note"),
    path("billing-notes/<uuid:note>/", ledger.update_note, name="update_note"),
    path("clients/<uuid:client>/payments/new/", taking.accept_payment, name="accept_payment"),
    path("clients/<uuid:client>/credit/", taking.apply_credit, name="apply_credit"),
    path("visits/<uuid:visit>/payment/", taking.apply_payment, name="apply_payment"),
    path("payments/<uuid:payment>/", taking.payment, name="payment"),
]
