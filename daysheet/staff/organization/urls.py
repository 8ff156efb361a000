"""Addresses of the organization's own pages, under `/<practice>/`."""

from __future__ import annotations

from django.urls import URLPattern

app_name = "practices"
urlpatterns: list[URLPattern] = []
