from django.apps import AppConfig


class ClientsConfig(AppConfig):
    name = "daysheet.clients"

    def ready(self) -> None:
        from .registry import register_tiles
        from .tiles import primary_copay

        register_tiles(primary_copay)
