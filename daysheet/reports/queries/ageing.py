"""Invoice Aging (M9): what is open by its age, by client or by insurer, as of any day. `docs/money/ageing.md`.

What was open on that day comes from `as_of.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection

from daysheet.ledger.day import Scope
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..rules import BUCKETS, Aged, total_of
from .as_of import Way, open_on, unapplied_on, way_to
from .scope import scope_of


class Debtor(StrEnum):
    """Whose debts: what clients owe, what insurers owe, or both sides by client."""

    CLIENT = "client"
    INSURER = "insurer"
    BOTH = "both"


class Since(StrEnum):
    """From which day on an amount ages."""

    SERVICE = "service"
    INVOICE = "invoice"


@dataclass(frozen=True, slots=True)
class AgingFilters:
    """What is asked for. `as_of` is included: everything posted on it counts."""

    as_of: date
    debtor: Debtor = Debtor.CLIENT
    since: Since = Since.SERVICE


@dataclass(frozen=True, slots=True)
class AgedDebtor:
    """A client or insurer and what they owe."""

    id: UUID
    name: str
    aged: Aged


@dataclass(frozen=True, slots=True)
class Aging:
    """Everybody with something open or with credit, by name; `total` is of all of them."""

    filters: AgingFilters
    rows: tuple[AgedDebtor, ...]

    @property
    def total(self) -> Aged:
        return total_of([row.aged for row in self.rows])


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line behind an amount, in cents."""

    id: UUID
    client_id: UUID
    client_name: str
    payer_name: str
    invoice_number: int
    service_on: date
    issued_on: date
    name: str
    age_days: int
    open_cents: int


@query(Permission.BILLING)
def invoice_aging(actor: Actor, filters: AgingFilters) -> Aging:
    """Everybody's buckets and credit: two statements, whatever the practice's size."""
    scope = scope_of(actor)
    due: dict[UUID, list[int]] = {}
    credit: dict[UUID, int] = {}
    names: dict[UUID, str] = {}
    for debtor_id, name, bucket, cents in _sums(scope, filters, way_to(scope, filters.as_of)):
        names[debtor_id] = name
        if bucket is None:
            credit[debtor_id] = cents
        else:
            due.setdefault(debtor_id, [0] * len(BUCKETS))[bucket] += cents
    rows = [
        AgedDebtor(key, names[key], Aged(tuple(due.get(key, [0] * len(BUCKETS))), credit.get(key, 0)))
        for key in sorted(names, key=lambda key: (names[key].casefold(), key))
    ]
    return Aging(filters, tuple(rows))


@query(Permission.BILLING)
def open_lines(
    actor: Actor, filters: AgingFilters, *, of: UUID | None, bucket: int | None, limit: int, offset: int = 0
) -> tuple[tuple[OpenLine, ...], int, int]:
    """The lines behind a cell of the report, oldest first; all debtors or all buckets where None. With the sum in
    cents and the number of all of them."""
    scope = scope_of(actor)
    lines, params = _lines(scope, filters, way_to(scope, filters.as_of))
    where = ["o.cents <> 0"]
    if of is not None:
        where.append("o.debtor_id = %s")
        params.append(of)
    if bucket is not None:
        where.append("o.bucket = %s")
        params.append(bucket)
    condition = " AND ".join(where)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(sum(o.cents), 0)::bigint, count(*) FROM ({lines}) o WHERE {condition}", params)
        total, count = cursor.fetchone() or (0, 0)
        cursor.execute(
            f"""SELECT o.id, o.client_id, c.last_name || ', ' || c.first_name, coalesce(y.name, ''), i.number,
                    o.service_on, i.issued_on, o.name, o.age::int, o.cents::bigint
                FROM ({lines}) o
                JOIN invoicing_invoice i ON i.practice_id = %s AND i.id = o.invoice_id
                JOIN clients_client c ON c.practice_id = %s AND c.id = o.client_id
                LEFT JOIN clients_payer y ON y.practice_id = %s AND y.id = o.payer_id
                WHERE {condition} ORDER BY o.age DESC, i.number, o.id LIMIT %s OFFSET %s""",
            [*_ordered(params, scope, of, bucket), limit, offset],
        )
        return tuple(OpenLine(*row) for row in cursor.fetchall()), total, count


def _ordered(params: list[Any], scope: Scope, of: UUID | None, bucket: int | None) -> list[Any]:
    """The practice of the three joins stands before the conditions' own values."""
    own = (of is not None) + (bucket is not None)
    before, after = (params[:-own], params[-own:]) if own else (params, [])
    return [*before, scope.practice_id, scope.practice_id, scope.practice_id, *after]


def _sums(scope: Scope, filters: AgingFilters, way: Way) -> list[tuple[UUID, str, int | None, int]]:
    """Debtor, its name, bucket and cents; without a bucket, its credit. Insurers' money belongs to no client, so
    limited people see none."""
    by_insurer = filters.debtor is Debtor.INSURER
    owner = "p.payer_id" if by_insurer else "p.client_id"
    name = "d.name FROM clients_payer" if by_insurer else "d.last_name || ', ' || d.first_name FROM clients_client"
    lines, of_lines = _lines(scope, filters, way)
    unapplied, of_payments = unapplied_on(scope, filters.as_of, way)
    sums = f"""
        SELECT o.debtor_id, o.bucket, sum(o.cents)::bigint AS cents FROM ({lines}) o WHERE o.cents <> 0 GROUP BY 1, 2
        UNION ALL
        SELECT {owner}, NULL, sum(p.cents)::bigint FROM ({unapplied}) p
        WHERE {owner} IS NOT NULL GROUP BY 1 HAVING sum(p.cents) <> 0"""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT s.debtor_id, (SELECT {name} d WHERE d.practice_id = %s AND d.id = s.debtor_id), s.bucket, s.cents "
            f"FROM ({sums}) s",
            [scope.practice_id, *of_lines, *of_payments],
        )
        return list(cursor.fetchall())


_BUCKET = " ".join(
    ["CASE"]
    + [f"WHEN o.age <= {bucket.last_days} THEN {number}" for number, bucket in enumerate(BUCKETS) if bucket.last_days]
    + [f"ELSE {len(BUCKETS) - 1} END"]
)


def _lines(scope: Scope, filters: AgingFilters, way: Way) -> tuple[str, list[Any]]:
    """SQL with a row for each line: its debtor, age in days, bucket, and what is open of the sides asked for."""
    by_insurer = filters.debtor is Debtor.INSURER
    debtor = "v.payer_id" if by_insurer else "l.client_id"
    since = "l.service_on" if filters.since is Since.SERVICE else "n.issued_on"
    cents = {
        Debtor.CLIENT: "l.client_cents",
        Debtor.INSURER: "l.insurance_cents",
        Debtor.BOTH: "l.client_cents + l.insurance_cents",
    }[filters.debtor]
    lines, params = open_on(scope, filters.as_of, way)
    invoices = "JOIN invoicing_invoice n ON n.practice_id = %s AND n.id = l.invoice_id"
    by_invoice = filters.since is Since.INVOICE
    sql = f"""
        SELECT o.*, {_BUCKET} AS bucket FROM (
            SELECT l.id, l.client_id, v.payer_id, l.invoice_id, l.service_on, l.name, {debtor} AS debtor_id,
                greatest(%s::date - {since}, 0) AS age, {cents} AS cents
            FROM ({lines}) l
            {invoices if by_invoice else ""}
            LEFT JOIN clients_coverage v ON v.practice_id = %s AND v.id = l.coverage_id
        ) o"""
    return sql, [filters.as_of, *params, *([scope.practice_id] * by_invoice), scope.practice_id]
