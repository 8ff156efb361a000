"""Adds `practice_id = …` to the base table of every SELECT, UPDATE and DELETE on a tenant table.

Joins carry the practice through TenantForeignKey. Raw SQL and COPY are not covered here; row security is for that.
"""

from typing import Any

from django.db.backends.postgresql import compiler
from django.db.models.lookups import Exact
from django.db.models.sql import Query
from django.db.models.sql.where import AND

from ..scope import scoped_practice_id


def _scoped(query: Query) -> Query:
    model: Any = query.model
    if not getattr(model, "is_tenant", False) or query.combinator:
        return query
    practice_id = scoped_practice_id()
    if practice_id is None:
        return query
    alias = query.get_initial_alias()
    column = model._meta.get_field("practice").get_col(alias)
    scoped = query.clone()
    scoped.where.add(Exact(column, practice_id), AND)
    return scoped


class _Scoped:
    query: Query

    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        self.query = _scoped(self.query)
        return super().as_sql(*args, **kwargs)  # type: ignore[misc]


class SQLCompiler(_Scoped, compiler.SQLCompiler):
    pass


class SQLUpdateCompiler(_Scoped, compiler.SQLUpdateCompiler):  # type: ignore[misc]
    pass


class SQLDeleteCompiler(_Scoped, compiler.SQLDeleteCompiler):  # type: ignore[misc]
    pass


class SQLInsertCompiler(compiler.SQLInsertCompiler):
    pass


class SQLAggregateCompiler(compiler.SQLAggregateCompiler):
    pass
