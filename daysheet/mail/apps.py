from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "daysheet.mail"

    def ready(self) -> None:
        from daysheet.jobs.registry import register_runner
        from daysheet.staff.registry import register_invitation_post, register_settings_section

        from .actions import JOB_KIND
        from .delivery import run_delivery
        from .invitations import INVITATION, write_invitation
        from .queries import settings_section
        from .registry import TEST, register_kind

        register_kind(TEST)
        register_kind(INVITATION)
        register_invitation_post(write_invitation)
        register_runner(JOB_KIND, run_delivery)
        register_settings_section(settings_section)
