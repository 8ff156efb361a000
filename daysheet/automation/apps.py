from django.apps import AppConfig


class AutomationConfig(AppConfig):
    name = "daysheet.automation"

    def ready(self) -> None:
        from daysheet.invoicing.registry import register_batch_listener
        from daysheet.jobs.registry import register_runner
        from daysheet.mail.registry import register_kind

        from .claiming import run_night
        from .nights import JOB_KIND, batch_finished
        from .summaries import KIND

        register_kind(KIND)
        register_runner(JOB_KIND, run_night)
        register_batch_listener(batch_finished)
