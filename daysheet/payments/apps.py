from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "daysheet.payments"

    def ready(self) -> None:
        from daysheet.clients.registry import register_tiles

        from .queries.figures import balance_tiles, next_appointment_tile

        register_tiles(balance_tiles)
        register_tiles(next_appointment_tile)
