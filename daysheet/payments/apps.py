from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "daysheet.payments"

    def ready(self) -> None:
        from daysheet.clients.registry import register_insurer_tiles, register_tiles
        from daysheet.invoicing.registry import register_money

        from .prepayments import credit_by_client, money_for_lines
        from .queries.figures import balance_tiles, next_appointment_tile, tiles_of_insurer

        register_money(money_for_lines, credit_by_client)
        register_insurer_tiles(tiles_of_insurer)
        register_tiles(balance_tiles)
        register_tiles(next_appointment_tile)
