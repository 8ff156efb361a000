from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "daysheet.ledger"
