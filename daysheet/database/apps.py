from django.apps import AppConfig


class DatabaseConfig(AppConfig):
    name = "daysheet.database"

    def ready(self) -> None:
        from django.db.models import UUIDField

        from .lookups import IdIn, ReferenceIn
        from .models import TenantForeignKey

        UUIDField.register_lookup(IdIn)
        TenantForeignKey.register_lookup(ReferenceIn)
