"""For each template: compare a file with what is there, and write what is new or changed.

Invariant: a plan is made from the database as it stands and nothing is written while it is made; `write` runs in the
same transaction, after every row was found good.
"""

from __future__ import annotations

from collections.abc import Callable

from daysheet.practices.actor import Actor

from ..parsing import ParsedFile
from .appointments import plan_appointments
from .fee_schedules import plan_fee_schedules
from .opening_balances import plan_opening_balances
from .plan import Plan, RowVerdict, Verdict
from .tables import plan_table

__all__ = ["Plan", "RowVerdict", "Verdict", "plan_file"]

_PLANNERS: dict[str, Callable[..., Plan]] = {
    "appointments": plan_appointments,
    "fee_schedules": plan_fee_schedules,
    "opening_balances": plan_opening_balances,
}


def plan_file(actor: Actor, parsed: ParsedFile, *, lock: bool) -> Plan:
    """What taking this file in would do, row by row. `lock` where it is about to be done."""
    return _PLANNERS.get(parsed.layout.kind, plan_table)(actor, parsed, lock=lock)
