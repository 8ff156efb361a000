from django.apps import AppConfig


class FirstHourConfig(AppConfig):
    name = "daysheet.first_hour"

    def ready(self) -> None:
        from daysheet.staff.registry import register_settings_section
        from daysheet.web.registry import register_home_panel

        from .panels import home_panel, settings_section

        register_home_panel(home_panel)
        register_settings_section(settings_section)
