"""Credits: money received that was on no invoice on a day, payment by payment, with its age."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from daysheet.payments.models import Payment
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..rules import age_days
from .as_of import unapplied_on, way_to
from .scope import scope_of

_LABELS = dict(Payment.Method.choices)


@dataclass(frozen=True, slots=True)
class CreditFilters:
    """What is asked for. `source` is `client`, `insurer`, or empty; `client_id` and `payer_id` narrow to one."""

    as_of: date
    source: str = ""
    client_id: UUID | None = None
    payer_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class CreditRow:
    """A payment with something left, in cents."""

    payment_id: UUID
    client_id: UUID | None
    name: str
    received_on: date
    method: str
    number: str
    amount_cents: int
    unapplied_cents: int
    age_days: int


@query(Permission.BILLING)
def credits_on(
    actor: Actor, filters: CreditFilters, *, limit: int, offset: int = 0
) -> tuple[tuple[CreditRow, ...], int, int]:
    """Payments with credit, oldest first; with the sum in cents and the number of all of them."""
    scope = scope_of(actor)
    where, more = _where(filters)
    unapplied, own = unapplied_on(scope, filters.as_of, way_to(scope, filters.as_of))
    source = f"FROM ({unapplied}) p"
    params = [*own, *more]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(sum(p.cents), 0)::bigint, count(*) {source} WHERE {where}", params)
        total, count = cursor.fetchone() or (0, 0)
        cursor.execute(
            f"""SELECT p.id, p.client_id, coalesce(c.last_name || ', ' || c.first_name, y.name), p.received_on,
                    p.method, p.number, p.amount_cents, p.cents::bigint
                {source}
                LEFT JOIN clients_client c ON c.practice_id = p.practice_id AND c.id = p.client_id
                LEFT JOIN clients_payer y ON y.practice_id = p.practice_id AND y.id = p.payer_id
                WHERE {where} ORDER BY p.received_on, p.created_at, p.id LIMIT %s OFFSET %s""",
            [*params, limit, offset],
        )
        rows = tuple(_row(filters.as_of, *row) for row in cursor.fetchall())
    return rows, total, count


def _where(filters: CreditFilters) -> tuple[str, list[Any]]:
    parts = ["p.cents <> 0"]
    params: list[Any] = []
    if filters.source:
        parts.append("p.client_id IS NOT NULL" if filters.source == "client" else "p.payer_id IS NOT NULL")
    for column, value in (("p.client_id", filters.client_id), ("p.payer_id", filters.payer_id)):
        if value is not None:
            parts.append(f"{column} = %s")
            params.append(value)
    return " AND ".join(parts), params


def _row(
    as_of: date, payment_id: UUID, client_id: UUID | None, name: str, received_on: date, method: str, number: str,
    amount_cents: int, unapplied_cents: int,
) -> CreditRow:  # fmt: skip
    return CreditRow(
        payment_id, client_id, name, received_on, _LABELS.get(method, method), number, amount_cents, unapplied_cents,
        age_days(received_on, as_of),
    )  # fmt: skip
