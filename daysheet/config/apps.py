import gc

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "daysheet.config"

    def ready(self) -> None:
        from daysheet.staff.registry import register_settings_section

        from .nightly import settings_section

        register_settings_section(settings_section)
        _spare_what_is_loaded()


def _spare_what_is_loaded() -> None:
    """Python looks for circles among all objects again and again, a third of a million of them modules and models that
    live as long as the process. Leaving those out and looking less often saves a batch a sixth of its time in Python
    (docs/performance.md)."""
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
