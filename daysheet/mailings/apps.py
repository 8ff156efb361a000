from django.apps import AppConfig


class MailingsConfig(AppConfig):
    name = "daysheet.mailings"

    def ready(self) -> None:
        from daysheet.documents.papers import Kind
        from daysheet.jobs.registry import register_runner
        from daysheet.mail import registry

        from .actions import JOB_KIND
        from .attachments import RENDERER, render_documents
        from .rules import SUBJECTS
        from .running import run_mailing

        register_runner(JOB_KIND, run_mailing)
        registry.register_renderer(RENDERER, render_documents)
        for kind in Kind:
            registry.register_kind(registry.Kind(kind.value, kind.label, SUBJECTS[kind.value]))
