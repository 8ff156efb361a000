from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "daysheet.config"

    def ready(self) -> None:
        from daysheet.staff.registry import register_settings_section

        from .nightly import settings_section

        register_settings_section(settings_section)
