"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import path

from .views import agreements, income_amounts, payer_prices, service_types

app_name = "services"
urlpatterns = [
    path("service-types/", service_types.service_type_list, name="list"),
    path("service-types/add", service_types.add_service_type, name="add"),
    path("service-types/<uuid:service_type>/", service_types.edit_service_type, name="edit"),
    path("service-types/<uuid:service_type>/archive", service_types.archive_service_type, name="archive"),
    path("service-types/<uuid:service_type>/restore", service_types.restore_service_type, name="restore"),
    path("clients/<uuid:client>/services/add", agreements.add_client_service, name="add_client_service"),
    path(
        "clients/<uuid:client>/services/<uuid:service_type>/edit",
        agreements.edit_client_service,
        name="edit_client_service",
    ),
    path(
        "clients/<uuid:client>/services/<uuid:service_type>/remove",
        agreements.remove_client_service,
        name="remove_client_service",
    ),
    path("payer-prices/", payer_prices.priced_payers, name="priced_payers"),
    path("payer-prices/<uuid:payer>/", payer_prices.payer_prices, name="payer_prices"),
    path("payer-prices/<uuid:payer>/rates/add", payer_prices.add_payer_rate, name="add_payer_rate"),
    path("payer-prices/<uuid:payer>/copy", payer_prices.copy_fee_schedule, name="copy_fee_schedule"),
    path("payer-prices/<uuid:payer>/rules/add", payer_prices.add_payer_rule, name="add_payer_rule"),
    path("payer-rates/<uuid:rate>/edit", payer_prices.edit_payer_rate, name="edit_payer_rate"),
    path("payer-rates/<uuid:rate>/end", payer_prices.end_payer_rate, name="end_payer_rate"),
    path("payer-rates/<uuid:rate>/remove", payer_prices.remove_payer_rate, name="remove_payer_rate"),
    path("payer-rules/<uuid:payer_rule>/end", payer_prices.end_payer_rule, name="end_payer_rule"),
    path("payer-rules/<uuid:payer_rule>/remove", payer_prices.remove_payer_rule, name="remove_payer_rule"),
    path("income-amounts/", income_amounts.income_amounts, name="income_amounts"),
    path("income-amounts/add", income_amounts.add_income_amounts, name="add_income_amounts"),
    path("income-amounts/<uuid:scale>/", income_amounts.edit_income_amounts, name="edit_income_amounts"),
    path("income-amounts/<uuid:scale>/remove", income_amounts.remove_income_amounts, name="remove_income_amounts"),
]
