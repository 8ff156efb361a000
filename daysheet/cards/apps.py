from django.apps import AppConfig


class CardsConfig(AppConfig):
    name = "daysheet.cards"

    def ready(self) -> None:
        from daysheet.jobs.registry import register_runner
        from daysheet.payments.registry import register_notices

        from . import charging, deciding, refunding, saving
        from .queries.notices import notices_of_client, notices_of_payment

        register_runner(charging.JOB_KIND, charging.run_charges)
        register_runner(deciding.JOB_KIND, deciding.run_inquiry)
        register_runner(refunding.JOB_KIND, refunding.run_refund)
        register_runner(saving.JOB_KIND, saving.run_setup)
        register_notices(notices_of_payment, notices_of_client)
