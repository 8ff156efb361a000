from django.apps import AppConfig


class InvoicingConfig(AppConfig):
    name = "daysheet.invoicing"

    def ready(self) -> None:
        from daysheet.jobs.registry import register_runner
        from daysheet.schedule.registry import register_billing_cells, register_fee_forecasts
        from daysheet.web.registry import register_unbilled_count

        from .batches import JOB_KIND, run_batch
        from .billing_cells import cells_of
        from .queries.fees import forecast_fees
        from .queries.unbilled import unbilled_count

        register_runner(JOB_KIND, run_batch)
        register_billing_cells(cells_of)
        register_fee_forecasts(forecast_fees)
        register_unbilled_count(unbilled_count)
