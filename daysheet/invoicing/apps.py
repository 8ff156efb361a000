from django.apps import AppConfig


class InvoicingConfig(AppConfig):
    name = "daysheet.invoicing"

    def ready(self) -> None:
        from daysheet.jobs.registry import register_runner

        from .batches import JOB_KIND, run_batch

        register_runner(JOB_KIND, run_batch)
