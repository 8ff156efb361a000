"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from .views import charging, client_cards, deciding, deciding_refunds, hook, processor

app_name = "cards"
urlpatterns: list[URLPattern] = [
    path("billing/batch-payments/cards/", charging.charge_cards, name="charge_cards"),
    path("billing/batch-payments/history/", charging.history, name="history"),
    path("billing/batch-payments/runs/<uuid:run>/", charging.charge_run, name="charge_run"),
    path("billing/batch-payments/runs/<uuid:run>/retry/", charging.retry, name="retry"),
    path("cards/charges/<uuid:charge>/", deciding.charge, name="charge"),
    path("cards/charges/<uuid:charge>/ask/", deciding.ask, name="ask"),
    path("cards/charges/<uuid:charge>/not-charged/", deciding.mark_not_charged, name="mark_not_charged"),
    path("cards/charges/<uuid:charge>/charged/", deciding.mark_charged, name="mark_charged"),
    path("cards/refunds/<uuid:card_refund>/", deciding_refunds.card_refund, name="card_refund"),
    path("cards/refunds/<uuid:card_refund>/refunded/", deciding_refunds.mark_refunded, name="mark_refunded"),
    path(
        "cards/refunds/<uuid:card_refund>/not-refunded/", deciding_refunds.mark_not_refunded, name="mark_not_refunded"
    ),
    path("clients/<uuid:client>/cards/", client_cards.client_cards, name="client_cards"),
    path("clients/<uuid:client>/cards/charge/", charging.charge_client, name="charge_client"),
    path("cards/<uuid:card>/remove/", client_cards.remove, name="remove"),
    path("card-setups/<uuid:setup>/look/", client_cards.look, name="look"),
    path("payments/<uuid:payment>/card-refund/", client_cards.refund, name="refund"),
    path("organization/card-processor/", processor.processor, name="processor"),
    path("cards/webhook/<uuid:account>/", hook.webhook, name="webhook"),
]
