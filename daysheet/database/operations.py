"""Migration operations that turn a plain CreateModel into a tenant table: key, foreign keys, row security, grants.

Used after CreateModel, in the order in which tables refer to each other. Nothing here uses a trigger, a contrib
extension or a deferrable constraint, so the same migrations run on Citus (tenancy.md, rules 1-3, 6, 8).
"""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations.base import Operation

from .models import SharedForeignKey, TenantForeignKey

RUNTIME_ROLE = "daysheet_app"
_POLICY = "practice_id = nullif(current_setting('app.practice_id', true), '')::bigint"


#: On Citus the table is distributed, or copied to every node, before its foreign keys are added; plain PostgreSQL has
#: no such function and does nothing (docs/scale.md).
_DISTRIBUTE = (
    "DO $$ BEGIN IF to_regproc('create_distributed_table') IS NOT NULL THEN "
    "SET LOCAL citus.multi_shard_modify_mode TO 'sequential'; "
    "PERFORM create_distributed_table('\"{table}\"', 'practice_id'); END IF; END $$"
)
_COPY_TO_EVERY_NODE = (
    "DO $$ BEGIN IF to_regproc('create_reference_table') IS NOT NULL THEN "
    "SET LOCAL citus.multi_shard_modify_mode TO 'sequential'; "
    "PERFORM create_reference_table('\"{table}\"'); END IF; END $$"
)


class _SqlOperation(Operation):
    reversible = False
    reduces_to_sql = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models are already described by CreateModel."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for statement in self.statements(to_state.apps, app_label):
            schema_editor.execute(statement)

    def statements(self, apps: Any, app_label: str) -> list[str]:
        raise NotImplementedError


class TenantTable(_SqlOperation):
    """Key (practice_id, id), immediate composite foreign keys with their indexes, row security, exact privileges.

    `update` is True, False or the tuple of columns the runtime role may update; `delete` whether it may delete.
    """

    def __init__(self, model_name: str, update: bool | tuple[str, ...] = False, delete: bool = False) -> None:
        self.model_name, self.update, self.delete = model_name, update, delete

    def describe(self) -> str:
        return f"Keep the practices apart in {self.model_name}"

    def statements(self, apps: Any, app_label: str) -> list[str]:
        meta = apps.get_model(app_label, self.model_name)._meta
        table = meta.db_table
        sql = [
            f'ALTER TABLE "{table}" DROP CONSTRAINT "{table}_pkey", ADD PRIMARY KEY (practice_id, id)',
            _DISTRIBUTE.format(table=table),
            f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
            f'CREATE POLICY "{table}_practice" ON "{table}" USING ({_POLICY}) WITH CHECK ({_POLICY})',
            *grant(table, self.update, self.delete),
        ]
        for field in meta.local_fields:
            target = field.remote_field.model._meta.db_table if field.remote_field else ""
            if isinstance(field, TenantForeignKey):
                sql += tenant_foreign_key(table, field.column, target, indexed=field.indexed)
            elif isinstance(field, SharedForeignKey):
                sql.append(
                    f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_{field.column}_fk" '
                    f'FOREIGN KEY ("{field.column}") REFERENCES "{target}" (id)'
                )
        return sql


class LaterTenantForeignKey(_SqlOperation):
    """Adds the foreign key of a bare id that a lower slice keeps for a higher one (architecture.md, section 2)."""

    def __init__(self, table: str, column: str, target: str, indexed: bool = False) -> None:
        self.table, self.column, self.target, self.indexed = table, column, target, indexed

    def describe(self) -> str:
        return f"Point {self.table}.{self.column} at {self.target}"

    def statements(self, apps: Any, app_label: str) -> list[str]:
        return tenant_foreign_key(self.table, self.column, self.target, indexed=self.indexed)


class NewTenantForeignKey(_SqlOperation):
    """Adds the constraint and index of a TenantForeignKey that a later migration put on an existing table."""

    def __init__(self, model_name: str, field_name: str) -> None:
        self.model_name, self.field_name = model_name, field_name

    def describe(self) -> str:
        return f"Keep {self.model_name}.{self.field_name} inside its practice"

    def statements(self, apps: Any, app_label: str) -> list[str]:
        meta = apps.get_model(app_label, self.model_name)._meta
        field = meta.get_field(self.field_name)
        target = field.remote_field.model._meta.db_table
        return tenant_foreign_key(meta.db_table, field.column, target, indexed=field.indexed)


class SharedTable(_SqlOperation):
    """Exact privileges on a table that all practices share."""

    def __init__(self, model_name: str, update: bool | tuple[str, ...] = False, delete: bool = False) -> None:
        self.model_name, self.update, self.delete = model_name, update, delete

    def describe(self) -> str:
        return f"Grant what {self.model_name} needs"

    def statements(self, apps: Any, app_label: str) -> list[str]:
        table = apps.get_model(app_label, self.model_name)._meta.db_table
        return [_COPY_TO_EVERY_NODE.format(table=table), *grant(table, self.update, self.delete)]


class GrantOn(_SqlOperation):
    """Privileges on the tables of a third-party application (sessions, accounts, jobs)."""

    def __init__(self, *tables: str, update: bool = True, delete: bool = True) -> None:
        self.tables, self.update, self.delete = tables, update, delete

    def describe(self) -> str:
        return f"Grant on {', '.join(self.tables)}"

    def statements(self, apps: Any, app_label: str) -> list[str]:
        return [statement for table in self.tables for statement in grant(table, self.update, self.delete)]


def grant(table: str, update: bool | tuple[str, ...], delete: bool) -> list[str]:
    """Statements that leave the runtime role exactly these privileges on `table`."""
    privileges = ["SELECT", "INSERT"]
    if update:
        columns = "" if isinstance(update, bool) else " (" + ", ".join(f'"{name}"' for name in update) + ")"
        privileges.append(f"UPDATE{columns}")
    if delete:
        privileges.append("DELETE")
    return [
        f'REVOKE ALL ON "{table}" FROM PUBLIC, {RUNTIME_ROLE}',
        f'GRANT {", ".join(privileges)} ON "{table}" TO {RUNTIME_ROLE}',
    ]


def tenant_foreign_key(table: str, column: str, target: str, *, indexed: bool) -> list[str]:
    """An immediate foreign key that carries the practice, and its index."""
    sql = [
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_{column}_fk" '
        f'FOREIGN KEY (practice_id, "{column}") REFERENCES "{target}" (practice_id, id)'
    ]
    if indexed:
        sql.append(f'CREATE INDEX "{table}_{column}_ix" ON "{table}" (practice_id, "{column}")')
    return sql
