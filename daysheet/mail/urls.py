"""Addresses under `/<practice>/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views

app_name = "mail"
urlpatterns: list[URLPattern] = [
    path("billing/delivery-log/", views.delivery_log, name="delivery_log"),
    path("billing/delivery-log/<uuid:message>/", views.message, name="message"),
    path("billing/delivery-log/<uuid:message>/send-again/", views.send_again, name="send_again"),
    path("billing/delivery-log/<uuid:message>/mark-sent/", views.mark_sent, name="mark_sent"),
    path("billing/delivery-log/<uuid:message>/withdraw/", views.withdraw, name="withdraw"),
    path("billing/delivery-log/<uuid:message>/files/<int:position>/", views.attachment, name="attachment"),
    path("organization/e-mail/", views.mailbox, name="mailbox"),
    path("organization/e-mail/test/", views.send_test, name="send_test"),
]
