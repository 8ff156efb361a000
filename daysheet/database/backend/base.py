"""PostgreSQL, with every statement on a tenant table naming its practice. See tenancy.md, "the sketch that ran"."""

from django.db.backends.postgresql import base, features, operations

from .arrays import IdListDumper


class DatabaseFeatures(features.DatabaseFeatures):
    def allows_group_by_selected_pks_on_model(self, model):  # type: ignore[no-untyped-def]
        # The real key is (practice_id, id), wider than Django believes: grouping by id alone is an error there.
        return not getattr(model, "is_tenant", False)


class DatabaseOperations(operations.DatabaseOperations):
    compiler_module = "daysheet.database.backend.compiler"


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures
    ops_class = DatabaseOperations

    def get_new_connection(self, conn_params):  # type: ignore[no-untyped-def]
        connection = super().get_new_connection(conn_params)
        connection.adapters.register_dumper(list, IdListDumper)
        return connection
