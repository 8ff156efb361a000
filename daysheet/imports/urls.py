"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "imports"
urlpatterns = [
    path("import/", views.upload, name="upload"),
    path("import/templates/<slug:kind>.csv", views.template, name="template"),
    path("import/<slug:kind>/<slug:sha256>/", views.preview, name="preview"),
    path("import/<slug:kind>/<slug:sha256>/import", views.confirm, name="confirm"),
]
