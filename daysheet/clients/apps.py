from django.apps import AppConfig


class ClientsConfig(AppConfig):
    name = "daysheet.clients"

    def ready(self) -> None:
        from daysheet.audit.registry import register_clients
        from daysheet.staff.registry import register_assigned_clients

        from .assigned import assigned_clients_of, client_names, visible_client_ids
        from .registry import register_tiles
        from .tiles import primary_copay

        register_tiles(primary_copay)
        register_clients(visible_client_ids, client_names)
        register_assigned_clients(assigned_clients_of)
