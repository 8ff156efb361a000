"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from .views import day_sheet, money

app_name = "reports"
urlpatterns: list[URLPattern] = [
    path("reports/", day_sheet.index, name="index"),
    path("reports/day-sheet/", day_sheet.day_sheet, name="day_sheet"),
    path("reports/day-sheet/close/", day_sheet.close, name="close_day"),
    path("reports/entries/", day_sheet.entries, name="entries"),
    path("reports/invoice-aging/", money.invoice_aging, name="invoice_aging"),
    path("reports/invoice-aging/lines/", money.aging_lines, name="aging_lines"),
    path("reports/payments/", money.payments, name="payments"),
    path("reports/payment-methods/", money.payment_methods, name="payment_methods"),
    path("reports/credits/", money.credits, name="credits"),
    path("reports/unbilled/", money.unbilled, name="unbilled"),
    path("reports/collections/", money.collections, name="collections"),
]
