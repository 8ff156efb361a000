from django.apps import AppConfig


class ServicesConfig(AppConfig):
    name = "daysheet.services"

    def ready(self) -> None:
        from daysheet.clients.registry import register_bill_to_section, register_insurer_section

        from .sections import client_services_section, income_section, payer_prices_section

        register_bill_to_section(client_services_section)
        register_bill_to_section(income_section)
        register_insurer_section(payer_prices_section)
