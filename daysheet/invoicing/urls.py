"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from .views import agenda, batch, editor, history, invoice, prices, unbilled

app_name = "invoicing"
urlpatterns: list[URLPattern] = [
    path("visits/<uuid:visit>/price/", prices.visit_price, name="visit_price"),
    path("visits/<uuid:visit>/invoice/", agenda.add_invoice, name="add_invoice"),
    path("appointments/<uuid:appointment>/invoices/", agenda.add_group_invoices, name="add_group_invoices"),
    path("clients/<uuid:client>/invoices/new/", editor.new_invoice, name="new_invoice"),
    path("invoices/<int:number>/", invoice.invoice, name="invoice"),
    path("invoices/<int:number>/void/", invoice.void_invoice, name="void_invoice"),
    path("billing/batch-invoicing/", batch.batch, name="batch"),
    path("billing/batch-invoicing/edit/", batch.batch_edit, name="batch_edit"),
    path("billing/batch-invoicing/history/", history.batch_history, name="batch_history"),
    path("billing/batch-invoicing/<uuid:batch>/", history.batch_run, name="batch_run"),
    path("billing/batch-invoicing/<uuid:batch>/continue/", history.continue_batch, name="continue_batch"),
    path("billing/batch-invoicing/<uuid:batch>/retry/", history.retry_batch, name="retry_batch"),
    path("billing/batch-invoicing/<uuid:batch>/undo/", history.undo_batch, name="undo_batch"),
    path("billing/unbilled/", unbilled.unbilled, name="unbilled"),
]
