"""What an export holds: every table of a practice and every column, but for those left out below, each with its reason.

The list is read from the models: a new table is exported without a change here, and a test sees every name below.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from daysheet.database.models import TenantForeignKey

LEFT_OUT_TABLES: Mapping[str, str] = {
    "jobs_jobrun": "work under way belongs to the installation; what is to be done stands in the batches themselves",
    "staff_invitation": "a way in, good for a few days and for one installation",
    "schedule_calendarfeed": "a secret address of one installation; its provider makes another",
}
LEFT_OUT_COLUMNS: Mapping[str, str] = {
    "staff_staffmember.user_id": "logins belong to the installation",
    "audit_auditevent.actor_user_id": "logins belong to the installation; the person's name is in actor_name",
    "cards_processoraccount.api_key_sealed": "a secret, sealed with the installation's key",
    "cards_processoraccount.webhook_secret_sealed": "a secret, sealed with the installation's key",
}


@dataclass(frozen=True, slots=True)
class Column:
    """`is_text`: what a spreadsheet might take for a formula is marked with an apostrophe."""

    name: str
    type: str
    refers_to: str
    is_nullable: bool
    is_text: bool
    left_out: str


@dataclass(frozen=True, slots=True)
class ExportedTable:
    """A table, without practice_id: that is the practice the file is of."""

    name: str
    description: str
    columns: tuple[Column, ...]

    @property
    def file_name(self) -> str:
        return f"{self.name}.csv"


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key from a column of one table to another table."""

    table: str
    column: str
    target: str
    is_nullable: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A table to be filled now, but for these columns: what they refer to comes later."""

    table: str
    columns_later: frozenset[str]


def exported_tables() -> list[ExportedTable]:
    """By name."""
    tables = [model for model in apps.get_models() if getattr(model, "is_tenant", False)]
    kept = [model for model in tables if model._meta.db_table not in LEFT_OUT_TABLES]
    return sorted((_described(model) for model in kept), key=lambda table: table.name)


def filling_order(names: Collection[str], references: Collection[Reference]) -> list[Step]:
    """Tables so that each comes after those it refers to. Where they refer to each other in a circle, one comes first
    with the column of the circle filled in later. Raises ValueError where a circle has no column that may be empty."""
    steps: list[Step] = []
    left = set(names)
    waiting = {name: [each for each in references if each.table == name and each.target != name] for name in names}
    while left:
        blocked = {name: [each for each in waiting[name] if each.target in left] for name in sorted(left)}
        free = [name for name, by in blocked.items() if not by]
        yielding = [name for name, by in blocked.items() if all(each.is_nullable for each in by)]
        if not (free or yielding):
            raise ValueError(f"these tables need each other: {sorted(left)}")
        for name in free or yielding[:1]:
            steps.append(Step(name, frozenset(each.column for each in blocked[name])))
            left.discard(name)
    return steps


def _described(model: type[models.Model]) -> ExportedTable:
    meta = model._meta
    columns = [_column(meta.db_table, field) for field in meta.local_fields if field.column != "practice_id"]
    description = " ".join((model.__doc__ or "").split())
    return ExportedTable(meta.db_table, description, tuple(columns))


def _column(table: str, field: Any) -> Column:
    refers_to = field.related_model._meta.db_table if isinstance(field, TenantForeignKey) else ""
    return Column(
        name=field.column,
        type=_type(field),
        refers_to=refers_to,
        is_nullable=field.null,
        is_text=isinstance(field, models.CharField | models.TextField),
        left_out=LEFT_OUT_COLUMNS.get(f"{table}.{field.column}", ""),
    )


_TYPES: Sequence[tuple[type[models.Field[Any, Any]], str]] = (
    (models.ForeignKey, "id"),
    (models.UUIDField, "id"),
    (models.BooleanField, "t or f"),
    (models.DateTimeField, "moment, with its distance from UTC"),
    (models.DateField, "day, in the practice's time zone"),
    (models.JSONField, "JSON"),
    (models.BinaryField, "bytes, in hexadecimal after \\x"),
    (models.IntegerField, "whole number"),
)


def _type(field: models.Field[Any, Any]) -> str:
    if isinstance(field, ArrayField):
        return "list, in braces"
    if field.choices:
        return "one of " + ", ".join(str(value) for value, _ in field.choices)
    if str(field.column).endswith("_cents"):
        return "cents"
    return next((words for kind, words in _TYPES if isinstance(field, kind)), "text")
