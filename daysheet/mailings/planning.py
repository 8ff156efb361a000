"""What a run will do with the chosen rows, for the page that asks for the yes: the same rules as the run itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from .queries.candidates import Candidate
from .rules import SKIPPED, Ways, way_of


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A client who will get nothing, and why."""

    client_id: UUID
    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Counts are clients. `first_mailed` is the one whose e-mail is shown."""

    printed_count: int
    mailed_count: int
    left_out: tuple[LeftOut, ...]
    first: Candidate
    first_mailed: Candidate | None


def plan_of(rows: Iterable[Candidate], ways: Ways) -> Plan:
    """The plan for these rows; there is at least one."""
    clients = {row.client_id: row for row in rows}
    printed, mailed, left_out = [], [], []
    for row in clients.values():
        if way_of(ways, prefers=row.prefers, has_address=row.unreachable != "no_address") == "print":
            printed.append(row)
        elif row.unreachable:
            left_out.append(LeftOut(row.client_id, row.client_name, SKIPPED[row.unreachable]))
        else:
            mailed.append(row)
    first = next(iter(clients.values()))
    return Plan(len(printed), len(mailed), tuple(left_out), first, mailed[0] if mailed else None)
