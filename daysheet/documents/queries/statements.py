"""Statements: the figures of many clients and the rows behind them, from the ledger's entries (M8).

`docs/money/statements.md` has the rules with worked numbers. Every function takes clients in sets and asks the database
a fixed number of times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from daysheet.clients.queries import visible_clients
from daysheet.invoicing.models import InvoiceLine
from daysheet.ledger.models import Account
from daysheet.payments.models import Payment
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.reports.rules import BUCKETS, bucket_of

from ..rules import Basis, Figures, Movement, Part, Period, side_figures


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One row: what happened to the client's side and to the insurers', in cents. Below zero it made the side smaller.

    `service_on`, `code`, `name` and `invoice_number` of the line it was about; `method` and `number` of the payment.
    """

    on: date
    part: Part
    account: str
    client_cents: int
    insurance_cents: int
    service_on: date | None = None
    code: str = ""
    name: str = ""
    invoice_number: int | None = None
    payment_id: UUID | None = None
    method: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A client's statement. `insurance_only_cents` and its count: rows that were asked to be left out, in one."""

    client_id: UUID
    figures: Figures
    rows: tuple[StatementRow, ...]
    insurance_only_count: int = 0
    insurance_only_cents: int = 0


@dataclass(frozen=True, slots=True)
class StatementChoices:
    """What is asked of a statement. `as_of`: entries posted on later days do not count; none: all count."""

    period: Period
    basis: Basis = Basis.SERVICE
    as_of: date | None = None
    hides_zero: bool = False
    hides_insurance_only: bool = False


@query(Permission.BILLING)
def statement_figures(actor: Actor, client_ids: Collection[UUID], choices: StatementChoices) -> dict[UUID, Figures]:
    """The figures of each of these clients that the actor may see. Two statements."""
    ids = visible_ids(actor, client_ids)
    return _all_figures(ids, _read(actor, ids, choices), choices)


@query(Permission.BILLING)
def statements(actor: Actor, client_ids: Collection[UUID], choices: StatementChoices) -> dict[UUID, Statement]:
    """The statements of these clients: figures, and the rows that lead from the previous to the ending balance.
    Six statements, for any number of clients and lines."""
    ids = visible_ids(actor, client_ids)
    found = _read(actor, ids, choices, with_rows=True)
    figures = _all_figures(ids, found, choices)
    movements = [each for each in found if each.of == "row"]
    lines = _lines({each.line_id for each in movements if each.line_id})
    paid = {each.payment_id for each in movements if each.payment_id}
    payments = {payment.pk: payment for payment in Payment.objects.filter(pk__in=paid)}
    insured = _insurance_only(actor, list(lines)) if choices.hides_insurance_only else frozenset()
    rows: dict[UUID, list[StatementRow]] = defaultdict(list)
    hidden: dict[UUID, list[StatementRow]] = defaultdict(list)
    for each in movements:
        line = lines[each.line_id] if each.line_id else None
        row = _row(each.on, each.movement, line, payments[each.payment_id] if each.payment_id else None)
        (hidden if each.line_id in insured else rows)[each.client_id].append(row)
    if not choices.hides_zero:
        for client_id, row in _zero_rows(list(figures), choices):
            rows[client_id].append(row)
    return {
        client_id: Statement(
            client_id,
            figures[client_id],
            tuple(_netted(rows[client_id])),
            len({(row.service_on, row.name, row.invoice_number) for row in hidden[client_id]}),
            sum(row.insurance_cents for row in hidden[client_id]),
        )
        for client_id in figures
    }


def visible_ids(actor: Actor, client_ids: Collection[UUID]) -> list[UUID]:
    """Those of these clients that the actor may see."""
    return list(visible_clients(actor).filter(pk__in=client_ids).order_by("pk").values_list("pk", flat=True))


def _last_day(choices: StatementChoices) -> date:
    return min(choices.period.last_on, choices.as_of) if choices.as_of else choices.period.last_on


#: The day a statement lists an entry `e` of a line `l` on. By service date a charge, and what corrects it, stands on
#: the day of service; nothing else on its line stands before it.
LISTED_ON = """CASE WHEN NOT %(by_service)s OR l.id IS NULL THEN e.effective_on
                WHEN 'revenue' IN (e.debit_account, e.credit_account) THEN l.service_on
                ELSE greatest(e.effective_on, l.service_on) END"""
#: Every entry of the clients with that day.
_DATED = f"""
    WITH e AS MATERIALIZED (
        SELECT e.client_id, e.debit_account, e.credit_account, e.coverage_id IS NOT NULL AS is_insurers,
            e.amount_cents, e.line_id, e.payment_id, l.service_on, l.invoice_id,
            {LISTED_ON} AS listed_on
        FROM ledger_entry e
        LEFT JOIN invoicing_invoiceline l ON l.practice_id = e.practice_id AND l.id = e.line_id
        WHERE e.practice_id = %(practice)s AND e.client_id = ANY(%(clients)s) AND e.effective_on <= %(as_of)s
    )"""
_SUMS = """
    SELECT 'sum', client_id, NULL::date, listed_on >= %(first)s, debit_account, credit_account, is_insurers,
        sum(amount_cents)::bigint, NULL::uuid, NULL::uuid
    FROM e WHERE listed_on <= %(last)s GROUP BY 2, 4, 5, 6, 7"""
#: What each line's client side has open, with the day it ages from.
_OPEN = """
    SELECT 'open', o.client_id, CASE WHEN %(by_service)s THEN o.service_on ELSE i.issued_on END, NULL, NULL, NULL, NULL,
        o.cents, NULL, NULL
    FROM (
        SELECT client_id, line_id, service_on, invoice_id,
            sum(amount_cents * ((debit_account = 'client_receivable')::int
                - (credit_account = 'client_receivable')::int))::bigint AS cents
        FROM e WHERE listed_on <= %(last)s AND line_id IS NOT NULL GROUP BY 1, 2, 3, 4
    ) o
    JOIN invoicing_invoice i ON i.practice_id = %(practice)s AND i.id = o.invoice_id
    WHERE o.cents <> 0"""
_ROWS = """
    SELECT 'row', client_id, listed_on, NULL, debit_account, credit_account, is_insurers, sum(amount_cents)::bigint,
        line_id, payment_id
    FROM e WHERE listed_on BETWEEN %(first)s AND %(last)s GROUP BY 2, 3, 5, 6, 7, 9, 10"""


class _Found(NamedTuple):
    """A row of one of the three; what it does not have is None."""

    of: str
    client_id: UUID
    on: date
    is_in_period: bool
    debit: str
    credit: str
    is_insurers: bool
    cents: int
    line_id: UUID | None
    payment_id: UUID | None

    @property
    def movement(self) -> Movement:
        return Movement(self.debit, self.credit, self.is_insurers, self.cents)


def _read(actor: Actor, client_ids: list[UUID], choices: StatementChoices, *, with_rows: bool = False) -> list[_Found]:
    """All in one statement: the clients' entries are gone through once."""
    if not client_ids:
        return []
    sql = " UNION ALL ".join([_DATED + _SUMS, _OPEN, *([_ROWS] if with_rows else [])])
    with connection.cursor() as cursor:
        cursor.execute(sql, {
            "practice": actor.practice.id, "clients": client_ids, "by_service": choices.basis is Basis.SERVICE,
            "first": choices.period.first_on, "last": choices.period.last_on, "as_of": choices.as_of or date.max,
        })  # fmt: skip
        return [_Found(*row) for row in cursor.fetchall()]


def _all_figures(ids: list[UUID], found: list[_Found], choices: StatementChoices) -> dict[UUID, Figures]:
    sums: dict[UUID, list[tuple[bool, Movement]]] = defaultdict(list)
    ages: dict[UUID, list[int]] = defaultdict(lambda: [0] * len(BUCKETS))
    for each in found:
        if each.of == "sum":
            sums[each.client_id].append((each.is_in_period, each.movement))
        elif each.of == "open":
            ages[each.client_id][bucket_of(max((_last_day(choices) - each.on).days, 0))] += each.cents
    return {client_id: _figures(sums[client_id], tuple(ages[client_id])) for client_id in ids}


def _figures(sums: list[tuple[bool, Movement]], open_cents: tuple[int, ...]) -> Figures:
    credit = sum(
        movement.cents * ((movement.credit == Account.CREDIT) - (movement.debit == Account.CREDIT))
        for _, movement in sums
        if not movement.is_insurers
    )
    client, insurance = side_figures(sums, is_client=True), side_figures(sums, is_client=False)
    return Figures(client, insurance, open_cents, credit)


def _lines(line_ids: set[UUID]) -> dict[UUID, InvoiceLine]:
    return {line.pk: line for line in InvoiceLine.objects.filter(pk__in=line_ids).select_related("invoice")}


def _insurance_only(actor: Actor, line_ids: list[UUID]) -> frozenset[UUID]:
    """Those lines of which the client never owed a cent."""
    if not line_ids:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT line_id FROM ledger_entry WHERE practice_id = %s AND line_id = ANY(%s) "
            "AND 'client_receivable' IN (debit_account, credit_account)",
            [actor.practice.id, line_ids],
        )
        return frozenset(line_ids) - {row[0] for row in cursor.fetchall()}


def _row(on: date, movement: Movement, line: InvoiceLine | None, payment: Payment | None) -> StatementRow:
    about = {} if line is None else _about(line)
    if payment is not None:
        about |= {"payment_id": payment.pk, "method": payment.get_method_display(), "number": payment.number}
    held = {"client_receivable", "insurance_receivable", "credit"}
    account = next((name for name in (movement.debit, movement.credit) if name not in held), "")
    return StatementRow(on, movement.part, account, movement.client_cents, movement.insurance_cents, **about)


def _about(line: InvoiceLine) -> dict[str, Any]:
    return {
        "service_on": line.service_on,
        "code": line.code,
        "name": line.name,
        "invoice_number": line.invoice.number,
    }


def _zero_rows(client_ids: list[UUID], choices: StatementChoices) -> Iterable[tuple[UUID, StatementRow]]:
    """Lines that came to nothing: no entry tells of them."""
    day = "service_on" if choices.basis is Basis.SERVICE else "invoice__issued_on"
    lines = InvoiceLine.objects.filter(
        client_id__in=client_ids, amount_cents=0, ended_at=None, invoice__issued_on__lte=choices.as_of or date.max,
        **{f"{day}__range": (choices.period.first_on, choices.period.last_on)},
    )  # fmt: skip
    for line in lines.select_related("invoice"):
        on = line.service_on if choices.basis is Basis.SERVICE else line.invoice.issued_on
        yield line.client_id, StatementRow(on, Part.CHARGE, "revenue", 0, 0, **_about(line))


def _netted(rows: list[StatementRow]) -> list[StatementRow]:
    """Rows about the same thing on the same day as one, in order. What a correction took back the same day is gone."""
    found: dict[tuple[Any, ...], list[StatementRow]] = defaultdict(list)
    for row in rows:
        if row.part is not Part.APPLIED:
            found[_order_of(row)].append(row)
    netted = []
    for key in sorted(found):
        same = found[key]
        client, insurance = sum(row.client_cents for row in same), sum(row.insurance_cents for row in same)
        if client or insurance or len(same) == 1:
            netted.append(replace(same[0], client_cents=client, insurance_cents=insurance))
    return netted


def _order_of(row: StatementRow) -> tuple[Any, ...]:
    """By day, charges first; equal for rows about the same thing."""
    return (row.on, _ORDER[row.part], row.service_on or row.on, row.invoice_number or 0, row.code, row.name,
            row.account, str(row.payment_id or ""))  # fmt: skip


_ORDER = {Part.CHARGE: 0, Part.MOVED: 1, Part.PAYMENT: 2, Part.ADJUSTMENT: 3}
