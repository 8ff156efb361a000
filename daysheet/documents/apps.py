from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "daysheet.documents"

    def ready(self) -> None:
        from daysheet.staff.registry import register_settings_section

        from .sections import look_section

        register_settings_section(look_section)
