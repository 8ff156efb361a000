from django.apps import AppConfig


class HelpConfig(AppConfig):
    name = "daysheet.help"

    def ready(self) -> None:
        from daysheet.web.registry import register_help

        from .topics import topic_of

        register_help(topic_of)
