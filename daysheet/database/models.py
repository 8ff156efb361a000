"""The base of every table that belongs to a practice, and the foreign keys that cannot point out of one."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.lookups import Exact

from daysheet.kit.ids import new_id

from .scope import current_practice_id


class SharedForeignKey(models.ForeignKey[Any, Any]):
    """To a shared table (practice, user). The immediate constraint is added by the TenantTable operation."""

    def __init__(self, to: Any, on_delete: Any = models.DO_NOTHING, **options: Any) -> None:
        options["db_constraint"] = False
        options["db_index"] = False
        options.setdefault("related_name", "+")
        super().__init__(to, on_delete, **options)


class TenantForeignKey(models.ForeignKey[Any, Any]):
    """To a row of the same practice: the real constraint is (practice_id, column), added by TenantTable.

    `indexed=False` where another index of the table already begins with the column.
    """

    def __init__(self, to: Any, on_delete: Any = models.DO_NOTHING, *, indexed: bool = True, **options: Any) -> None:
        self.indexed = indexed
        options["db_constraint"] = False
        options["db_index"] = False
        options.setdefault("related_name", "+")
        super().__init__(to, on_delete, **options)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        if not self.indexed:
            kwargs["indexed"] = False
        return name, path, args, kwargs

    def get_extra_restriction(self, alias: str, related_alias: str) -> Any:
        # `alias` is the table pointed at, `related_alias` the table that has the column, whichever is joined to which.
        there = _practice_field(self.remote_field.model).get_col(alias)
        here = _practice_field(self.model).get_col(related_alias)
        return Exact(there, here)


def _practice_field(model: type[models.Model]) -> Any:
    return model._meta.get_field("practice")


class TenantModel(models.Model):
    """A row of a practice. Django believes the key is `id`; in the database it is (practice_id, id)."""

    is_tenant = True

    practice = SharedForeignKey("practices.Practice", default=current_practice_id, editable=False)
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)

    class Meta:
        abstract = True

    def _do_update(self, base_qs: Any, using: Any, pk_val: Any, values: Any, *args: Any, **kwargs: Any) -> Any:
        # A row never moves to another practice: the column is left out of SET, and out of the UPDATE grant.
        kept = [value for value in values if value[0].name != "practice"]
        return super()._do_update(base_qs, using, pk_val, kept, *args, **kwargs)
