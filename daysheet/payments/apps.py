from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "daysheet.payments"
