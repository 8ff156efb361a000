"""The entries behind a figure of a report (M8): every amount of the Day Sheet, of Invoice Aging, Payments, Credits and
Collections opens to this list."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection

from daysheet.ledger.day import Scope, class_condition
from daysheet.ledger.models import Account
from daysheet.ledger.rules import HELD, INSURERS_CREDIT, RECEIVABLES, EntryClass, classify
from daysheet.payments.queries.words import activity_words
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .scope import scope_of

#: The provider of what stands on no line: money received and not applied, or taken off again.
NO_LINE = "-"
_CREDIT = HELD - RECEIVABLES
#: Before anything was ever posted: a balance is the sum of all entries from here on.
BEGINNING = date(1900, 1, 1)


class Balance(StrEnum):
    """A balance in place of a day sheet's classes, as Invoice Aging and Credits have it."""

    CLIENT = "client"
    INSURER = "insurer"
    BOTH = "both"
    CREDIT = "credit"

    @property
    def label(self) -> str:
        """What it is called."""
        return _BALANCES[self]


_BALANCES = {
    Balance.CLIENT: "What clients owe, less their credit",
    Balance.INSURER: "What insurers owe, less their credit",
    Balance.BOTH: "Both sides, less clients’ credit",
    Balance.CREDIT: "Not applied",
}


class Direction(StrEnum):
    """Money that came in, or that was given back."""

    IN = "in"
    OUT = "out"

    @property
    def label(self) -> str:
        """As the deposit's columns are headed."""
        return "Received" if self is Direction.IN else "Refunded or reversed"


@dataclass(frozen=True, slots=True)
class EntryFilters:
    """What is asked for, days included. `kind` None: every class. `provider` is the name frozen on the line, empty for
    lines without one, NO_LINE for what is on none; None: any. `method`, `source` (`client` or `insurer`) and
    `direction` are of payments. `balance`: the entries of that balance, of one client or payer where given."""

    from_on: date
    to_on: date
    kind: EntryClass | None = None
    staff: str | None = None
    provider: str | None = None
    method: str | None = None
    source: str = ""
    direction: Direction | None = None
    balance: Balance | None = None
    client_id: UUID | None = None
    payer_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry. `figure_cents` is its part in the figure it is behind, with that figure's sign."""

    effective_on: date
    posted_at: datetime
    actor_name: str
    words: str
    reason: str
    client_id: UUID | None
    client_name: str
    payer_name: str
    invoice_number: int | None
    payment_id: UUID | None
    amount_cents: int
    figure_cents: int


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Some of the entries, oldest first, and the figure of all of them."""

    rows: tuple[EntryRow, ...]
    figure_cents: int
    count: int


@query(Permission.BILLING)
def entries_behind(actor: Actor, filters: EntryFilters, *, limit: int, offset: int = 0) -> EntryPage:
    """At most `limit` entries of the figure that `filters` describe, and its whole sum. Two statements."""
    scope = scope_of(actor)
    figure = _figure(scope, filters)
    where, params = _where(scope, filters)
    where += f" AND {_matters(filters, figure)}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(sum({figure}), 0)::bigint, count(*) {_FROM} WHERE {where}", params)
        total, count = cursor.fetchone() or (0, 0)
        cursor.execute(
            f"""SELECT e.effective_on, e.posted_at, e.actor_name, e.debit_account, e.credit_account,
                    e.reverses_id IS NOT NULL, e.reason, e.client_id,
                    coalesce(c.last_name || ', ' || c.first_name, ''), coalesce(y.name, ''),
                    i.number, e.payment_id, e.amount_cents, ({figure})::bigint
                {_FROM}
                LEFT JOIN clients_client c ON c.practice_id = e.practice_id AND c.id = e.client_id
                LEFT JOIN clients_payer y ON y.practice_id = e.practice_id AND y.id = p.payer_id
                LEFT JOIN invoicing_invoice i ON i.practice_id = e.practice_id AND i.id = l.invoice_id
                WHERE {where}
                ORDER BY e.effective_on, e.posted_at, e.id LIMIT %s OFFSET %s""",
            [*params, limit, offset],
        )
        rows = tuple(_row(*row) for row in cursor.fetchall())
    return EntryPage(rows, total, count)


def account_pairs(kinds: Collection[EntryClass]) -> Iterator[tuple[str, str]]:
    """Every pair of accounts that falls in one of these classes."""
    accounts = [*(str(account) for account in Account), INSURERS_CREDIT]
    for debit in accounts:
        for credit in accounts:
            if debit != credit and classify(debit, credit) in kinds:
                yield debit, credit


_FROM = """
    FROM ledger_entry e
    LEFT JOIN invoicing_invoiceline l ON l.practice_id = e.practice_id AND l.id = e.line_id
    LEFT JOIN payments_payment p ON p.practice_id = e.practice_id AND p.id = e.payment_id
    LEFT JOIN clients_coverage v ON v.practice_id = l.practice_id AND v.id = l.coverage_id"""


def _figure(scope: Scope, filters: EntryFilters) -> str:
    """SQL for an entry's part: of a balance, of what is owed on a provider's lines, or of credit."""
    if filters.balance is not None:
        return _balance(scope, filters.balance)
    if filters.provider is None:
        accounts = HELD
    else:
        accounts = _CREDIT if filters.provider == NO_LINE else RECEIVABLES
    names = ", ".join(f"'{name}'" for name in sorted(accounts))
    debit, credit = scope.account("debit_account"), scope.account("credit_account")
    is_taken_off = filters.kind in (EntryClass.PAYMENT, EntryClass.ADJUSTMENT)
    sign = "-" if is_taken_off is not (filters.direction is Direction.OUT) else ""
    return f"{sign}e.amount_cents * (({debit} IN ({names}))::int - ({credit} IN ({names}))::int)"


def _balance(scope: Scope, balance: Balance) -> str:
    """SQL for an entry's part in a balance. Insurers' credit is seen by those who may see the whole practice."""
    owed = {
        Balance.CLIENT: _change("client_receivable"),
        Balance.INSURER: _change("insurance_receivable"),
        Balance.BOTH: f"({_change('client_receivable')} + {_change('insurance_receivable')})",
        Balance.CREDIT: "0",
    }[balance]
    own = {
        Balance.CLIENT: "p.client_id IS NOT NULL",
        Balance.INSURER: "p.payer_id IS NOT NULL" if scope.is_whole else "FALSE",
        Balance.BOTH: "p.client_id IS NOT NULL",
        Balance.CREDIT: "TRUE" if scope.is_whole else "p.client_id IS NOT NULL",
    }[balance]
    credit = f"{_change('credit')} * ({own})::int"
    return f"{'-' if balance is Balance.CREDIT else ''}e.amount_cents * ({owed} + {credit})"


def _change(account: str) -> str:
    return f"((e.debit_account = '{account}')::int - (e.credit_account = '{account}')::int)"


def _matters(filters: EntryFilters, figure: str) -> str:
    """Applications count among a provider's payments, what only changes sides does not. Of one direction of money, what
    adds to it."""
    if filters.direction is not None:
        return f"({figure}) > 0"
    return f"({figure}) <> 0" if filters.provider is not None or filters.balance is not None else "TRUE"


def _where(scope: Scope, filters: EntryFilters) -> tuple[str, list[Any]]:
    parts = ["e.practice_id = %s", "e.effective_on BETWEEN %s AND %s", scope.condition]
    params: list[Any] = [scope.practice_id, filters.from_on, filters.to_on, *scope.params]
    if filters.kind is not None:
        kinds = {filters.kind}
        if filters.kind is EntryClass.PAYMENT and filters.provider is not None:
            kinds.add(EntryClass.MOVED)
        pairs, names = class_condition(scope, list(account_pairs(kinds)))
        parts.append(pairs)
        params += names
    if filters.staff is not None:
        parts.append("e.actor_name = %s")
        params.append(filters.staff)
    if filters.provider not in (None, NO_LINE):
        parts.append("l.rendering_name = %s")
        params.append(filters.provider)
    if filters.source:
        parts.append("p.client_id IS NOT NULL" if filters.source == "client" else "p.payer_id IS NOT NULL")
    for column, value in (("p.method", filters.method), ("e.client_id", filters.client_id)):
        if value is not None:
            parts.append(f"{column} = %s")
            params.append(value)
    if filters.payer_id is not None:
        # Its money by the payment, what it owes by the coverage of the line.
        parts.append("coalesce(p.payer_id, v.payer_id) = %s")
        params.append(filters.payer_id)
    return " AND ".join(parts), params


def _row(
    effective_on: date, posted_at: datetime, actor_name: str, debit: str, credit: str, is_reversal: bool, reason: str,
    client_id: UUID | None, client_name: str, payer_name: str, number: int | None, payment_id: UUID | None,
    amount_cents: int, figure_cents: int,
) -> EntryRow:  # fmt: skip
    words = activity_words(Account(debit), Account(credit), is_reversal=is_reversal)
    return EntryRow(
        effective_on, posted_at, actor_name, words, reason, client_id, client_name, payer_name, number, payment_id,
        amount_cents, figure_cents,
    )  # fmt: skip
