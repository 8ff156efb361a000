"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from .estimates import views as estimates
from .papers import Kind
from .views import client, one, settings

app_name = "documents"
urlpatterns: list[URLPattern] = [
    path("clients/<uuid:client>/documents/", client.client_documents, name="client_documents"),
    path("clients/<uuid:client>/documents/statement/", client.make, {"kind": Kind.STATEMENT}, name="statement"),
    path("clients/<uuid:client>/documents/superbill/", client.make, {"kind": Kind.SUPERBILL}, name="superbill"),
    path("clients/<uuid:client>/documents/invoices/", client.make, {"kind": Kind.INVOICE}, name="invoices"),
    path("clients/<uuid:client>/documents/receipts/", client.make, {"kind": Kind.RECEIPT}, name="receipts"),
    path("documents/<uuid:document>/", one.document, name="document"),
    path("documents/<uuid:document>/pdf/", one.document_pdf, name="document_pdf"),
    path("documents/made/<uuid:made_in>/", one.made_together, name="made_together"),
    path("documents/made/<uuid:made_in>/pdf/", one.made_together_pdf, name="made_together_pdf"),
    path("invoices/<int:number>/print/", one.of_invoice, {"kind": Kind.INVOICE}, name="print_invoice"),
    path("invoices/<int:number>/superbill/", one.of_invoice, {"kind": Kind.SUPERBILL}, name="invoice_superbill"),
    path("payments/<uuid:payment>/receipt/", one.receipt, name="receipt"),
    path("billing/estimates/", estimates.owed, name="owed_estimates"),
    path("clients/<uuid:client>/estimates/", estimates.client_estimates, name="client_estimates"),
    path("clients/<uuid:client>/estimates/new/", estimates.give, name="give_estimate"),
    path("clients/<uuid:client>/estimates/asked/", estimates.request_estimate, name="request_estimate"),
    path("estimates/<uuid:estimate>/", estimates.estimate, name="estimate"),
    path("organization/documents/", settings.look, name="look"),
    path("organization/documents/logo/", settings.upload_logo, name="upload_logo"),
    path("organization/documents/logo/<uuid:logo>/", settings.logo, name="logo"),
    path("organization/documents/logo/<uuid:logo>/remove/", settings.remove_logo, name="remove_logo"),
]
