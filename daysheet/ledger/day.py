"""A day sheet's sums over the entries (M8, M10): the proof of a day. `effective_on` is the posting date.

Somebody limited to assigned clients gets the sums of those clients' entries (`condition`). An insurer's money is then
a payment on the day it is applied: what of it is not applied belongs to no client.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from .rules import INSURERS_CREDIT, DayTotals, PairSum, day_totals


@dataclass(frozen=True, slots=True)
class Scope:
    """Which entries of a practice count: a SQL condition on `e` (ledger_entry) with its parameters.

    `is_whole`: all of them, insurers' credit included.
    """

    practice_id: int
    condition: str = "TRUE"
    params: tuple[Any, ...] = ()

    @property
    def is_whole(self) -> bool:
        return self.condition == "TRUE"

    def account(self, column: str) -> str:
        """SQL for an account of `e` as this scope sees it."""
        if self.is_whole:
            return f"e.{column}"
        return (
            f"CASE WHEN e.{column} = 'credit' AND e.coverage_id IS NOT NULL THEN '{INSURERS_CREDIT}' "
            f"ELSE e.{column} END"
        )


def read_day_totals(scope: Scope, day: date) -> DayTotals:
    """The proof of `day` (posting date, practice time): one statement over everything up to and including it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT e.effective_on = %s, {scope.account("debit_account")}, {scope.account("credit_account")},
                    sum(e.amount_cents)::bigint, count(*)
                FROM ledger_entry e
                WHERE e.practice_id = %s AND e.effective_on <= %s AND {scope.condition}
                GROUP BY 1, 2, 3""",
            [day, scope.practice_id, day, *scope.params],
        )
        return day_totals(PairSum(*row) for row in cursor.fetchall())


def class_condition(scope: Scope, accounts: Sequence[tuple[str, str]]) -> tuple[str, list[Any]]:
    """SQL and parameters for: the entry is between one of these (debit, credit) pairs, as the scope sees them."""
    if not accounts:
        return "FALSE", []
    pairs = ", ".join(["(%s, %s)"] * len(accounts))
    params = [name for pair in accounts for name in pair]
    return f"({scope.account('debit_account')}, {scope.account('credit_account')}) IN ({pairs})", params
