"""The scoping layer switched off: no statement names its practice any more. For tests alone; the program has no such
switch."""

from __future__ import annotations

import pytest

from daysheet.database.backend import compiler
from daysheet.database.models import TenantForeignKey


def switch_scoping_off(patch: pytest.MonkeyPatch) -> None:
    """Neither the filter of database/backend/compiler.py nor the joins of database/models.py."""
    patch.setattr(compiler, "_scoped", lambda query: query)
    patch.setattr(TenantForeignKey, "get_extra_restriction", lambda self, alias, related_alias: None)
