"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "help"
urlpatterns = [
    path("help/", views.index, name="index"),
    path("help/pictures/<slug:picture>.png", views.picture, name="picture"),
    path("help/<slug:page>/", views.page, name="page"),
]
