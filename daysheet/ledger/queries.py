"""Every figure is a sum over the same entries, as of any past day too (M8).

Sums are signed from the practice's point of view: a receivable is positive while money is owed to the practice, credit
is positive while the practice holds money that is not applied. Nobody's access to a client is checked here: this slice
knows no clients; the slices above fetch the client first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case, Exists, F, Max, OuterRef, Q, QuerySet, Sum, Value, When

from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .models import Account, Entry


@dataclass(frozen=True, slots=True)
class LineSides:
    """What each side of a line still owes, in cents, by its entries."""

    client_cents: int = 0
    insurance_cents: int = 0


@dataclass(frozen=True, slots=True)
class ClientBalances:
    """A client's three figures in cents: due from the client, due from insurers, and credit not applied yet."""

    client_due_cents: int = 0
    insurance_due_cents: int = 0
    credit_cents: int = 0

    @property
    def balance_cents(self) -> int:
        """Everything due less the credit: below zero the practice owes the client."""
        return self.client_due_cents + self.insurance_due_cents - self.credit_cents


@dataclass(frozen=True, slots=True)
class AccountTotal:
    """One account of the trial balance. `balance_cents` is debits less credits."""

    account: Account
    debit_cents: int
    credit_cents: int

    @property
    def balance_cents(self) -> int:
        return self.debit_cents - self.credit_cents


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Every account of a practice. It proves when both columns have one sum."""

    accounts: tuple[AccountTotal, ...]

    @property
    def debit_cents(self) -> int:
        return sum(account.debit_cents for account in self.accounts)

    @property
    def credit_cents(self) -> int:
        return sum(account.credit_cents for account in self.accounts)

    @property
    def proves(self) -> bool:
        return self.debit_cents == self.credit_cents

    def balance_of(self, account: Account) -> int:
        """Debits less credits of one account, in cents."""
        return next((total.balance_cents for total in self.accounts if total.account is account), 0)


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """One entry of a client, with the balances after it.

    `change_cents` is what it did to everything the client and insurers owe less credit: nothing, where money only
    moved from credit to a line. `client_balance_cents` is the client's side less credit, `balance_cents` everything.
    """

    entry_id: UUID
    effective_on: date
    posted_at: datetime
    actor_name: str
    debit: Account
    credit: Account
    amount_cents: int
    change_cents: int
    balance_cents: int
    client_balance_cents: int
    reason: str
    line_id: UUID | None
    payment_id: UUID | None
    reverses_id: UUID | None
    event_id: UUID


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """One page of a client's activity, newest first. `number` counts from 1."""

    rows: tuple[ActivityRow, ...]
    number: int
    total_count: int
    page_size: int

    @property
    def has_next(self) -> bool:
        return self.number * self.page_size < self.total_count

    @property
    def has_previous(self) -> bool:
        return self.number > 1


@query(Permission.BILLING)
def line_sides(actor: Actor, line_ids: Iterable[UUID], *, as_of: date | None = None) -> dict[UUID, LineSides]:
    """What each side of these lines owes by the entries effective up to and including `as_of` (none: all)."""
    wanted = list(line_ids)
    sums: dict[UUID, list[int]] = {line_id: [0, 0] for line_id in wanted}
    entries = Entry.objects.filter(line_id__in=wanted, **_until(as_of))
    grouped = entries.values_list("line_id", "debit_account", "credit_account").annotate(cents=Sum("amount_cents"))
    for line_id, debit, credit, cents in grouped.order_by():
        for account, sign in ((debit, 1), (credit, -1)):
            if account in _SIDES:
                sums[line_id][_SIDES.index(Account(account))] += sign * cents
    return {line_id: LineSides(*sides) for line_id, sides in sums.items()}


@query(Permission.BILLING)
def client_balances(actor: Actor, client_id: UUID, *, as_of: date | None = None) -> ClientBalances:
    """The client's figures by the entries effective up to and including `as_of` (none: all)."""
    totals = _account_totals(own_credit=True, client_id=client_id, **_until(as_of))
    return ClientBalances(
        client_due_cents=totals[Account.CLIENT_RECEIVABLE].balance_cents,
        insurance_due_cents=totals[Account.INSURANCE_RECEIVABLE].balance_cents,
        credit_cents=-totals[Account.CREDIT].balance_cents,
    )


@query(Permission.BILLING)
def practice_proof(actor: Actor, *, as_of: date | None = None) -> TrialBalance:
    """The trial balance over all entries of the practice effective up to and including `as_of` (none: all)."""
    return TrialBalance(tuple(_account_totals(own_credit=False, **_until(as_of)).values()))


@query(Permission.BILLING)
def client_activity(actor: Actor, client_id: UUID, *, page: int = 1, page_size: int = 50) -> ActivityPage:
    """All Activity: one page of the client's entries, newest first, each with the running balances after it.

    The sums run in the database from the first entry on; a page past the end is the last one.
    """
    count = Entry.objects.filter(client_id=client_id).count()
    number = min(max(page, 1), max(-(-count // page_size), 1))
    with connection.cursor() as cursor:
        cursor.execute(_ACTIVITY, {
            "practice": actor.practice.id, "client": client_id, "limit": page_size, "offset": (number - 1) * page_size,
        })  # fmt: skip
        rows = tuple(_activity_row(*row) for row in cursor.fetchall())
    return ActivityPage(rows, number, count, page_size)


@query(Permission.BILLING)
def payment_movements(actor: Actor, payment_id: UUID) -> tuple[ActivityRow, ...]:
    """The entries behind a payment, oldest first; `balance_cents` is what of it was unapplied after each."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVEMENTS, {"practice": actor.practice.id, "payment": payment_id})
        return tuple(_activity_row(*row) for row in cursor.fetchall())


@dataclass(frozen=True, slots=True)
class LineMovement:
    """One entry behind a line, as it was written. Amounts in cents."""

    entry_id: UUID
    line_id: UUID | None
    effective_on: date
    posted_at: datetime
    actor_name: str
    debit: Account
    credit: Account
    amount_cents: int
    reason: str
    reverses_id: UUID | None


@query(Permission.BILLING)
def line_movements(actor: Actor, line_ids: Iterable[UUID]) -> tuple[LineMovement, ...]:
    """The entries behind these lines, oldest first: what the invoice page shows under its figures."""
    rows = Entry.objects.filter(line_id__in=list(line_ids)).order_by("posted_at", "pk")
    return tuple(
        LineMovement(
            row.pk, row.line_id, row.effective_on, row.posted_at, row.actor_name, Account(row.debit_account),
            Account(row.credit_account), row.amount_cents, row.reason, row.reverses_id,
        )
        for row in rows
    )  # fmt: skip


@query(Permission.BILLING)
def has_posted_on(actor: Actor, day: date) -> bool:
    """Whether the actor has, at this very moment, posted anything on that day."""
    return Entry.objects.filter(effective_on=day, posted_at=actor.now, actor_name=actor.person_name[:120]).exists()


@query(Permission.BILLING)
def event_movements(actor: Actor, client_id: UUID, event_id: UUID) -> list[tuple[UUID, UUID, int]]:
    """(payment, line, cents) of the applications an earlier event wrote for a client: what a retry finds."""
    applied = Entry.objects.filter(
        client_id=client_id, event_id=event_id, debit_account=Account.CREDIT, credit_account=Account.CLIENT_RECEIVABLE
    )
    # Both ids are there, by entry_receivable_has_line and entry_money_has_payment.
    rows = applied.order_by("pk").values_list("payment_id", "line_id", "amount_cents")
    return [(payment_id, line_id, cents) for payment_id, line_id, cents in rows if payment_id and line_id]


@dataclass(frozen=True, slots=True)
class StandingEntry:
    """An entry that is no reversal and has not been reversed."""

    id: UUID
    debit: Account
    credit: Account
    amount_cents: int
    client_id: UUID | None
    line_id: UUID | None
    payment_id: UUID | None
    coverage_id: UUID | None
    effective_on: date
    reason: str


@query(Permission.BILLING)
def standing_entries(
    actor: Actor,
    *,
    client_id: UUID | None = None,
    line_id: UUID | None = None,
    payment_id: UUID | None = None,
    debit: Account | None = None,
    event_id: UUID | None = None,
) -> list[StandingEntry]:
    """The entries of a client, line, payment or event that still count, oldest first: what a correction may reverse."""
    asked = {"client_id": client_id, "line_id": line_id, "payment_id": payment_id, "debit_account": debit,
             "event_id": event_id}  # fmt: skip
    scope = {name: value for name, value in asked.items() if value is not None}
    reversed_ids = Entry.objects.filter(reverses_id=OuterRef("pk"))
    rows = Entry.objects.filter(~Exists(reversed_ids), reverses_id=None, **scope).order_by("posted_at", "pk")
    return [
        StandingEntry(
            row.pk, Account(row.debit_account), Account(row.credit_account), row.amount_cents, row.client_id,
            row.line_id, row.payment_id, row.coverage_id, row.effective_on, row.reason,
        )
        for row in rows
    ]  # fmt: skip


def kept_cents_of(payment_id: Any) -> QuerySet[Entry, Any]:
    """A sub-query: what of a payment the practice still has, in cents: received less refunded and reversed."""
    kept = Case(
        When(debit_account=Account.CASH, then=F("amount_cents")),
        When(credit_account=Account.CASH, then=-F("amount_cents")),
        default=Value(0),
    )
    entries = Entry.objects.filter(payment_id=payment_id).order_by().values("payment_id")
    return entries.annotate(kept=Sum(kept)).values("kept")


@query(Permission.BILLING)
def least_credit_since(actor: Actor, payment_id: UUID, day: date) -> int:
    """The least that is unapplied of a payment at the end of any day from `day` on, in cents: what of it is free to be
    given back on that day."""
    with connection.cursor() as cursor:
        cursor.execute(_LEAST_CREDIT, {"practice": actor.practice.id, "payment": payment_id, "day": day})
        row = cursor.fetchone()
    return int(row[0]) if row and row[0] is not None else 0


@query(Permission.BILLING)
def owed_since(actor: Actor, line_ids: Iterable[UUID], side: Account) -> dict[UUID, date]:
    """The last day on which a side of these lines came to owe more: money put on it counts from then on."""
    raised = Entry.objects.filter(line_id__in=list(line_ids), debit_account=side)
    days = raised.order_by().values_list("line_id").annotate(day=Max("effective_on"))
    return {line_id: day for line_id, day in days if line_id}


_SIDES = (Account.CLIENT_RECEIVABLE, Account.INSURANCE_RECEIVABLE)
_COLUMNS = "e.id, e.effective_on, e.posted_at, e.actor_name, e.debit_account, e.credit_account, e.amount_cents"
_REST = "e.reason, e.line_id, e.payment_id, e.reverses_id, e.event_id"
#: What an entry does to the client's side less credit, to the insurers' side, and to the unapplied part of its payment.
#: An insurer's money on a line names a coverage; the client's credit does not move with it.
_OWN = "(e.{0}_account = 'client_receivable' OR (e.{0}_account = 'credit' AND e.coverage_id IS NULL))::int"
_CLIENT_CHANGE = f"e.amount_cents * ({_OWN.format('debit')} - {_OWN.format('credit')})"
_INSURANCE_CHANGE = """e.amount_cents * ((e.debit_account = 'insurance_receivable')::int
        - (e.credit_account = 'insurance_receivable')::int)"""
_UNAPPLIED_CHANGE = "e.amount_cents * ((e.credit_account = 'credit')::int - (e.debit_account = 'credit')::int)"
_ACTIVITY = f"""
    WITH changes AS (
        SELECT e.*, {_CLIENT_CHANGE} AS client_change, {_INSURANCE_CHANGE} AS insurance_change
        FROM ledger_entry e WHERE e.practice_id = %(practice)s AND e.client_id = %(client)s
    ), e AS (
        SELECT c.*, client_change + insurance_change AS change,
            (sum(client_change + insurance_change) OVER running)::bigint AS balance,
            (sum(client_change) OVER running)::bigint AS client_balance
        FROM changes c WINDOW running AS (ORDER BY effective_on, id ROWS UNBOUNDED PRECEDING)
    )
    SELECT {_COLUMNS}, e.change, e.balance, e.client_balance, {_REST}
    FROM e ORDER BY e.effective_on DESC, e.id DESC LIMIT %(limit)s OFFSET %(offset)s"""
_LEAST_CREDIT = f"""
    WITH days AS (
        SELECT effective_on, sum(sum({_UNAPPLIED_CHANGE})) OVER (ORDER BY effective_on) AS credit
        FROM ledger_entry e WHERE e.practice_id = %(practice)s AND e.payment_id = %(payment)s GROUP BY effective_on
    )
    SELECT least(
        min(credit) FILTER (WHERE effective_on >= %(day)s),
        coalesce((SELECT credit FROM days WHERE effective_on <= %(day)s ORDER BY effective_on DESC LIMIT 1), 0)
    )::bigint FROM days"""
_MOVEMENTS = f"""
    SELECT {_COLUMNS}, {_UNAPPLIED_CHANGE},
        (sum({_UNAPPLIED_CHANGE}) OVER (ORDER BY e.posted_at, e.id ROWS UNBOUNDED PRECEDING))::bigint,
        0::bigint, {_REST}
    FROM ledger_entry e WHERE e.practice_id = %(practice)s AND e.payment_id = %(payment)s
    ORDER BY e.posted_at, e.id"""


def _activity_row(
    entry_id: UUID, effective_on: date, posted_at: datetime, actor_name: str, debit: str, credit: str, cents: int,
    change: int, balance: int, client_balance: int, reason: str, line_id: UUID | None, payment_id: UUID | None,
    reverses_id: UUID | None, event_id: UUID,
) -> ActivityRow:  # fmt: skip
    return ActivityRow(
        entry_id, effective_on, posted_at, actor_name, Account(debit), Account(credit), cents, change, balance,
        client_balance, reason, line_id, payment_id, reverses_id, event_id,
    )  # fmt: skip


def _until(as_of: date | None) -> dict[str, date]:
    return {} if as_of is None else {"effective_on__lte": as_of}


def _account_totals(*, own_credit: bool, **scope: object) -> dict[Account, AccountTotal]:
    """Debits and credits of every account over the entries of `scope`, in the accounts' fixed order. `own_credit`: an
    insurer's credit is left out, as of a client's figures it must be."""
    debits = dict.fromkeys(Account, 0)
    credits_ = dict.fromkeys(Account, 0)
    pairs = Entry.objects.filter(**scope).annotate(is_insurers=Q(coverage_id__isnull=False))
    sums = pairs.values_list("debit_account", "credit_account", "is_insurers").annotate(cents=Sum("amount_cents"))
    for debit, credit, is_insurers, cents in sums.order_by():
        for account, totals in ((Account(debit), debits), (Account(credit), credits_)):
            if not (own_credit and is_insurers and account is Account.CREDIT):
                totals[account] += int(cents)
    return {account: AccountTotal(account, debits[account], credits_[account]) for account in Account}
