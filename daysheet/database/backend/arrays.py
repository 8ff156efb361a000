"""How lists of ids reach PostgreSQL.

The driver asks of each element of a list, by a regular expression, whether it needs quotes. An id never does, and a
batch names tens of thousands of them: written in one go they cost a fifth.
"""

from typing import Any

from psycopg.abc import Buffer
from psycopg.types.array import ListDumper
from psycopg.types.uuid import UUIDDumper


class IdListDumper(ListDumper):
    """Every list as the driver writes it, a flat list of UUIDs faster."""

    def dump(self, obj: list[Any]) -> Buffer | None:
        if not isinstance(self.sub_dumper, UUIDDumper):
            return super().dump(obj)
        try:
            return b"{" + b",".join([b"%032x" % each.int for each in obj]) + b"}"
        except AttributeError:  # a NULL or a list among them
            return super().dump(obj)
