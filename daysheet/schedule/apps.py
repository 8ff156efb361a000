from django.apps import AppConfig


class ScheduleConfig(AppConfig):
    name = "daysheet.schedule"

    def ready(self) -> None:
        from daysheet.staff.registry import register_settings_section, register_staff_section

        from .views.feed import feed_section
        from .views.statuses import policy_section

        register_settings_section(policy_section)
        register_staff_section(feed_section)
