"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from .views import runs, searching, singly

app_name = "mailings"
urlpatterns: list[URLPattern] = [
    path("billing/batch-statements/", searching.batch_statements, name="batch_statements"),
    path("billing/batch-statements/history/", runs.statement_history, name="statement_history"),
    path("billing/batch-invoicing/existing/", searching.existing_invoices, name="existing_invoices"),
    path("billing/batch-invoicing/existing/history/", runs.invoice_history, name="invoice_history"),
    path("billing/document-runs/<uuid:mailing>/", runs.run, name="run"),
    path("billing/document-runs/<uuid:mailing>/file/", runs.run_file, name="file"),
    path("billing/document-runs/<uuid:mailing>/continue/", runs.continue_run, name="continue"),
    path("billing/document-runs/<uuid:mailing>/make-file-again/", runs.remake_file, name="remake_file"),
    path("billing/document-runs/<uuid:mailing>/stop-sending/", runs.stop_sending, name="stop_sending"),
    path("billing/document-runs/<uuid:mailing>/send-failed-again/", runs.send_failed, name="send_failed"),
    path("documents/<uuid:document>/e-mail/", singly.email_document, name="email_document"),
    path("documents/made/<uuid:made_in>/e-mail/", singly.email_together, name="email_together"),
]
