"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import path

from .views import agreements, service_types

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
    path("insurers/<uuid:payer>/rates/add", agreements.add_payer_rate, name="add_payer_rate"),
    path("payer-rates/<uuid:rate>/end", agreements.end_payer_rate, name="end_payer_rate"),
]
