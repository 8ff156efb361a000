"""The Day Sheet (M10): the proof of a day, its charges, payments and adjustments by person, the deposit, and what is
unfinished. `docs/money/day-sheet.md` defines every figure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db import connection

from daysheet.invoicing.queries.unbilled import UnbilledRow, unbilled_between
from daysheet.ledger.day import Scope, read_day_totals
from daysheet.ledger.rules import DayTotals, EntryClass, change_cents, classify, line_change_cents
from daysheet.payments.models import Payment
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .entries import NO_LINE
from .scope import scope_of

#: Unfinished dates of service that are listed; a day has no more in any practice we know of.
_MOST_UNFINISHED = 500


@dataclass(frozen=True, slots=True)
class PersonFigures:
    """What one person posted, or what happened on one provider's lines, in cents."""

    name: str
    charges_cents: int
    payments_cents: int
    adjustments_cents: int


@dataclass(frozen=True, slots=True)
class DepositRow:
    """One method of payment: received, and given back (refunds and reversals), in cents."""

    method: str
    label: str
    received_cents: int
    returned_cents: int

    @property
    def deposit_cents(self) -> int:
        return self.received_cents - self.returned_cents


@dataclass(frozen=True, slots=True)
class DaySheet:
    """A day. The sums of `by_staff`, of `by_provider`, and of `deposit` are those of `totals`.

    `by_provider` names what stands on no line NO_LINE: money kept as credit.
    """

    day: date
    totals: DayTotals
    by_staff: tuple[PersonFigures, ...]
    by_provider: tuple[PersonFigures, ...]
    deposit: tuple[DepositRow, ...]
    unfinished: tuple[UnbilledRow, ...]
    is_whole_practice: bool


@dataclass(frozen=True, slots=True)
class _Group:
    """Entries of the day that have all these in common, in cents."""

    actor_name: str
    provider: str | None
    method: str | None
    debit: str
    credit: str
    amount_cents: int

    @property
    def kind(self) -> EntryClass:
        return classify(self.debit, self.credit)

    @property
    def change_cents(self) -> int:
        return change_cents(self.debit, self.credit, self.amount_cents)

    @property
    def line_change_cents(self) -> int:
        return line_change_cents(self.debit, self.credit, self.amount_cents)


@query(Permission.BILLING)
def day_sheet(actor: Actor, day: date) -> DaySheet:
    """The sheet of `day` (posting date in practice time). The same few queries on a busy day."""
    scope = scope_of(actor)
    groups = _groups(scope, day)
    return DaySheet(
        day=day,
        totals=read_day_totals(scope, day),
        by_staff=_people((each.actor_name, each.kind, each.change_cents) for each in groups),
        by_provider=_people(_of_providers(groups)),
        deposit=_deposit(groups),
        unfinished=unbilled_between(actor, day, day, limit=_MOST_UNFINISHED),
        is_whole_practice=scope.is_whole,
    )


def _groups(scope: Scope, day: date) -> list[_Group]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT e.actor_name, l.rendering_name, p.method, {scope.account("debit_account")},
                    {scope.account("credit_account")}, sum(e.amount_cents)::bigint
                FROM ledger_entry e
                LEFT JOIN invoicing_invoiceline l ON l.practice_id = e.practice_id AND l.id = e.line_id
                LEFT JOIN payments_payment p ON p.practice_id = e.practice_id AND p.id = e.payment_id
                WHERE e.practice_id = %s AND e.effective_on = %s AND {scope.condition}
                GROUP BY 1, 2, 3, 4, 5""",
            [scope.practice_id, day, *scope.params],
        )
        return [_Group(*row) for row in cursor.fetchall()]


def _of_providers(groups: Iterable[_Group]) -> Iterable[tuple[str, EntryClass, int]]:
    """Each group's change of what is owed, under the line's provider; its change of credit, under no line. Money that
    is applied is a payment on the provider's lines and leaves credit: together they are what came in."""
    for each in groups:
        kind = EntryClass.PAYMENT if each.kind is EntryClass.MOVED else each.kind
        if each.line_change_cents:
            yield each.provider or "", kind, each.line_change_cents
        on_credit = each.change_cents - each.line_change_cents
        if on_credit:
            yield NO_LINE, kind, on_credit


def _people(parts: Iterable[tuple[str, EntryClass, int]]) -> tuple[PersonFigures, ...]:
    """Figures by name, from (name, class, change of the balance in cents)."""
    sums: dict[str, dict[EntryClass, int]] = defaultdict(lambda: dict.fromkeys(EntryClass, 0))
    for name, kind, cents in parts:
        sums[name][kind] += cents
    return tuple(
        PersonFigures(name, of[EntryClass.CHARGE], -of[EntryClass.PAYMENT], -of[EntryClass.ADJUSTMENT])
        for name, of in sorted(sums.items(), key=lambda pair: (pair[0] == NO_LINE, pair[0]))
        if of[EntryClass.CHARGE] or of[EntryClass.PAYMENT] or of[EntryClass.ADJUSTMENT] or name != NO_LINE
    )


def _deposit(groups: Iterable[_Group]) -> tuple[DepositRow, ...]:
    received: dict[str, int] = defaultdict(int)
    returned: dict[str, int] = defaultdict(int)
    for each in groups:
        if each.kind is EntryClass.PAYMENT:
            into = received if each.change_cents < 0 else returned
            into[each.method or ""] += abs(each.change_cents)
    return tuple(
        DepositRow(method, label, received[method], returned[method])
        for method, label in Payment.Method.choices
        if method in received or method in returned
    )
