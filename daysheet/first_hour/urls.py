"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "first_hour"
urlpatterns = [
    path("getting-started/", views.guide, name="guide"),
    path("getting-started/dismiss/", views.dismiss, name="dismiss"),
    path("getting-started/resume/", views.resume, name="resume"),
    path("getting-started/<slug:step>/", views.step, name="step"),
    path("getting-started/<slug:step>/skip/", views.skip, name="skip"),
]
