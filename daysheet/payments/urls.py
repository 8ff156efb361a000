"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from .views import correcting, entries, insurers, ledger, taking

app_name = "payments"
urlpatterns: list[URLPattern] = [
    path("clients/<uuid:client>/ledger/", ledger.ledger, name="ledger"),
    path("clients/<uuid:client>/entries/", entries.entries, name="entries"),
    path("insurers/<uuid:payer>/entries/", entries.insurer_entries, name="insurer_entries"),
    path("payments/<uuid:payment>/entries/", entries.payment_entries, name="payment_entries"),
    path("clients/<uuid:client>/billing-notes/", ledger.add_note, name="add_note"),
    path("billing-notes/<uuid:note>/", ledger.update_note, name="update_note"),
    path("clients/<uuid:client>/payments/new/", taking.accept_payment, name="accept_payment"),
    path("clients/<uuid:client>/credit/", taking.apply_credit, name="apply_credit"),
    path("visits/<uuid:visit>/payment/", taking.apply_payment, name="apply_payment"),
    path("payments/<uuid:payment>/", taking.payment, name="payment"),
    path("clients/<uuid:client>/insurance-payments/new/", insurers.insurance_payment, name="insurance_payment"),
    path("billing/batch-payments/", insurers.batch_payments, name="batch_payments"),
    path("payments/<uuid:insurer_payment>/apply/", insurers.apply_insurance_credit, name="apply_insurance_credit"),
    path("payments/<uuid:payment>/unapply/", correcting.unapply, name="unapply"),
    path("payments/<uuid:payment>/refund/", correcting.refund, name="refund"),
    path("payments/<uuid:payment>/delete/", correcting.delete_payment, name="delete_payment"),
    path("payments/<uuid:payment>/edit/", correcting.edit_payment, name="edit_payment"),
    path("clients/<uuid:client>/write-offs/", correcting.write_off_list, name="write_offs"),
    path("lines/<uuid:line>/write-off/", correcting.write_off, name="write_off"),
    path("lines/<uuid:line>/write-offs/<uuid:entry>/", correcting.remove_write_off, name="remove_write_off"),
    path("lines/<uuid:line>/responsibility/", correcting.change_responsibility, name="change_responsibility"),
    path("lines/<uuid:line>/edit/", correcting.edit_line, name="edit_line"),
    path("invoices/<int:number>/rebill/", correcting.void_and_rebill, name="void_and_rebill"),
]
