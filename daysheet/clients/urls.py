"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import path

from .views import clients, coverage, diagnoses, income, insurers

app_name = "clients"
urlpatterns = [
    path("clients/", clients.client_list, name="list"),
    path("clients/search", clients.search, name="search"),
    path("clients/add", clients.add, name="add"),
    path("clients/<uuid:client>/", clients.details, name="details"),
    path("clients/<uuid:client>/edit", clients.edit, name="edit"),
    path("clients/<uuid:client>/archive", clients.archive, name="archive"),
    path("clients/<uuid:client>/activate", clients.activate, name="activate"),
    path("clients/<uuid:client>/staff", clients.assign_staff, name="assign_staff"),
    path("clients/<uuid:client>/staff/<uuid:staff_member>/unassign", clients.unassign_staff, name="unassign_staff"),
    path("clients/<uuid:client>/diagnoses/add", diagnoses.add_diagnosis, name="add_diagnosis"),
    path("diagnoses/<uuid:diagnosis>/end", diagnoses.end_diagnosis, name="end_diagnosis"),
    path("diagnoses/<uuid:diagnosis>/move-up", diagnoses.move_diagnosis_up, name="move_diagnosis_up"),
    path("clients/<uuid:client>/bill-to", coverage.bill_to, name="bill_to"),
    path("clients/<uuid:client>/bill-to/edit", coverage.edit_bill_to, name="edit_bill_to"),
    path("clients/<uuid:client>/coverages/add", coverage.add_coverage, name="add_coverage"),
    path("coverages/<uuid:coverage>/edit", coverage.edit_coverage, name="edit_coverage"),
    path("coverages/<uuid:coverage>/end", coverage.end_coverage, name="end_coverage"),
    path("clients/<uuid:client>/income/record", income.record_income, name="record_income"),
    path("clients/<uuid:client>/income/take-back", income.take_income_back, name="take_income_back"),
    path("insurers/", insurers.insurers, name="insurers"),
    path("insurers/add", insurers.add_insurer, name="add_insurer"),
    path("insurers/<uuid:payer>/", insurers.insurer, name="insurer"),
    path("insurers/<uuid:payer>/edit", insurers.edit_insurer, name="edit_insurer"),
]
