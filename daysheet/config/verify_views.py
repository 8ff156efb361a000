"""What `daysheet verify` asks of the reports themselves: a page that shows a balance shows the one of the entries.

Each check reads a report as its page does, and the entries by a statement of its own. A new view of a balance is one
more function in VIEW_CHECKS.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from django.db import connection

from daysheet.documents.queries.statements import StatementChoices, statement_figures
from daysheet.documents.rules import Basis, Period
from daysheet.kit.money import Money
from daysheet.ledger.models import ClosedDay
from daysheet.ledger.rules import DayTotals, PairSum, day_totals
from daysheet.practices.actor import Actor
from daysheet.reports.queries.ageing import AgingFilters, Debtor, Since, invoice_aging
from daysheet.reports.queries.day_sheet import DaySheet, day_sheet

from .verify_checks import NAMED, Found

#: The newest day sheets that are read as the page does; the proof itself is reckoned for every day there is.
_SHEETS_READ = 5
_CLIENTS_AT_ONCE = 1_000


def ageing_is_the_balance(actor: Actor) -> Found:
    """M9: due by age less credit is the balance by the entries, of every client and insurer; now, and as of the end of
    last month."""
    last = _last_day(actor) or actor.today
    present, past = max(last, actor.today), actor.today.replace(day=1) - timedelta(days=1)
    asked = [
        *(AgingFilters(present, debtor, since) for debtor in Debtor for since in Since),
        *(AgingFilters(past, debtor) for debtor in Debtor),
    ]
    wrong = [words for filters in asked for words in _aged_wrongly(actor, filters)]
    return _found("Invoice Aging less credit is the balance, by client and by insurer", wrong)


def day_sheets_prove(actor: Actor) -> Found:
    """M10: every day's proof holds and begins where the day before closed; the newest sheets say the same in each of
    their tables, and the last one closes at the balance that Invoice Aging shows."""
    days = dict(_totals_by_day(actor))
    wrong = [
        f"{day}: {Money(totals.opening_cents)} + {Money(totals.charges_cents)} − {Money(totals.payments_cents)} − "
        f"{Money(totals.adjustments_cents)} is not {Money(totals.closing_cents)}"
        for day, totals in days.items()
        if not totals.proves
    ]
    for day in _days_to_read(days):
        wrong += _read_wrongly(day_sheet(actor, day), days.get(day))
    if days:
        closing = days[max(days)].closing_cents
        aged = sum(
            invoice_aging(actor, AgingFilters(max(days), debtor)).total.balance_cents
            for debtor in (Debtor.CLIENT, Debtor.INSURER)
        )
        if aged != closing:
            wrong.append(f"{max(days)} closes at {Money(closing)}, Invoice Aging comes to {Money(aged)}")
    return _found("every Day Sheet proves, and its tables add up to the proof", wrong)


def statements_end_at_the_balance(actor: Actor) -> Found:
    """D1: a statement's figures lead from the previous balance to the ending one, which is the client's balance by the
    entries, on both sides and by service and by invoice date."""
    far = AgingFilters(date.max, Debtor.CLIENT)
    own, both = _owed(actor, far), _owed(actor, replace(far, debtor=Debtor.BOTH))
    clients = sorted(own.keys() | both.keys())
    wrong: list[str] = []
    for basis in Basis:
        choices = StatementChoices(Period(actor.today.replace(day=1), date.max), basis)
        for start in range(0, len(clients), _CLIENTS_AT_ONCE):
            some = clients[start : start + _CLIENTS_AT_ONCE]
            for client_id, figures in statement_figures(actor, some, choices).items():
                (due, credit), (owed, _) = own.get(client_id, (0, 0)), both.get(client_id, (0, 0))
                ends = (figures.client.ending_cents, figures.insurance.ending_cents)
                if not figures.proves or ends != (due - credit, owed - due):
                    wrong.append(
                        f"by {basis} date, {client_id}: the statement ends at {Money(ends[0])} and, from insurance, at "
                        f"{Money(ends[1])}, the entries come to {Money(due - credit)} and {Money(owed - due)}"
                    )
    return _found("every statement leads to the client's balance", wrong)


VIEW_CHECKS: tuple[Callable[[Actor], Found], ...] = (
    ageing_is_the_balance,
    day_sheets_prove,
    statements_end_at_the_balance,
)


def _found(name: str, wrong: list[str]) -> Found:
    return Found(name, len(wrong), tuple(wrong[:NAMED]))


def _aged_wrongly(actor: Actor, filters: AgingFilters) -> Iterator[str]:
    by_entries = _owed(actor, filters)
    aged = {row.id: (row.aged.due_cents, row.aged.credit_cents) for row in invoice_aging(actor, filters).rows}
    for key in sorted(by_entries.keys() | aged.keys()):
        due, credit = aged.get(key, (0, 0))
        if (due, credit) != by_entries.get(key, (0, 0)):
            owed, kept = by_entries.get(key, (0, 0))
            yield (
                f"as of {filters.as_of} by {filters.debtor}, {key}: {Money(due)} less credit {Money(credit)}, by the "
                f"entries {Money(owed)} less {Money(kept)}"
            )


def _owed(actor: Actor, filters: AgingFilters) -> Mapping[UUID, tuple[int, int]]:
    """(due, credit) of everybody by the entries up to the day, in cents."""
    owed: dict[UUID, tuple[int, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            _BY_PAYER if filters.debtor is Debtor.INSURER else _BY_CLIENT,
            {"practice": actor.practice.id, "day": filters.as_of, "debtor": filters.debtor.value},
        )
        for key, due, credit in cursor.fetchall():
            before = owed.get(key, (0, 0))
            owed[key] = (before[0] + due, before[1] + credit)
    return {key: sums for key, sums in owed.items() if sums != (0, 0)}


_CHANGE = "e.amount_cents * ((e.debit_account = '{0}')::int - (e.credit_account = '{0}')::int)"
_BY_CLIENT = f"""
    SELECT e.client_id,
        sum({_CHANGE.format("client_receivable")} + CASE WHEN %(debtor)s = 'both'
            THEN {_CHANGE.format("insurance_receivable")} ELSE 0 END)::bigint,
        coalesce(sum(-{_CHANGE.format("credit")}) FILTER (WHERE p.client_id IS NOT NULL), 0)::bigint
    FROM ledger_entry e
    LEFT JOIN payments_payment p ON p.practice_id = e.practice_id AND p.id = e.payment_id
    WHERE e.practice_id = %(practice)s AND e.effective_on <= %(day)s AND e.client_id IS NOT NULL
    GROUP BY e.client_id"""
_BY_PAYER = f"""
    SELECT c.payer_id, sum({_CHANGE.format("insurance_receivable")})::bigint, 0::bigint
    FROM ledger_entry e JOIN clients_coverage c ON c.practice_id = e.practice_id AND c.id = e.coverage_id
    WHERE e.practice_id = %(practice)s AND e.effective_on <= %(day)s
      AND 'insurance_receivable' IN (e.debit_account, e.credit_account)
    GROUP BY c.payer_id
    UNION ALL
    SELECT p.payer_id, 0::bigint, sum(-{_CHANGE.format("credit")})::bigint
    FROM ledger_entry e JOIN payments_payment p ON p.practice_id = e.practice_id AND p.id = e.payment_id
    WHERE e.practice_id = %(practice)s AND e.effective_on <= %(day)s AND p.payer_id IS NOT NULL
    GROUP BY p.payer_id"""


def _last_day(actor: Actor) -> date | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(effective_on) FROM ledger_entry WHERE practice_id = %s", [actor.practice.id])
        row = cursor.fetchone()
    return row[0] if row else None


def _totals_by_day(actor: Actor) -> Iterator[tuple[date, DayTotals]]:
    """The proof of every day on which anything was posted, oldest first: one statement, summed up as it goes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT effective_on, debit_account, credit_account, sum(amount_cents)::bigint, count(*) FROM ledger_entry "
            "WHERE practice_id = %s GROUP BY 1, 2, 3 ORDER BY 1",
            [actor.practice.id],
        )
        of_days: dict[date, list[PairSum]] = defaultdict(list)
        for day, debit, credit, cents, count in cursor.fetchall():
            of_days[day].append(PairSum(True, debit, credit, cents, count))
    before: dict[tuple[str, str], int] = defaultdict(int)
    for day, sums in of_days.items():
        earlier = (PairSum(False, debit, credit, cents, 0) for (debit, credit), cents in before.items())
        yield day, day_totals([*earlier, *sums])
        for each in sums:
            before[each.debit, each.credit] += each.amount_cents


def _days_to_read(days: Mapping[date, DayTotals]) -> list[date]:
    """The newest with entries, and the last closed one."""
    closed = ClosedDay.objects.order_by("-day").values_list("day", flat=True)[:1]
    return sorted({*sorted(days)[-_SHEETS_READ:], *closed})


def _read_wrongly(sheet: DaySheet, reckoned: DayTotals | None) -> Iterator[str]:
    totals = sheet.totals
    if reckoned is not None and totals != reckoned:
        yield f"the sheet of {sheet.day} closes at {Money(totals.closing_cents)}, not {Money(reckoned.closing_cents)}"
    figures = (totals.charges_cents, totals.payments_cents, totals.adjustments_cents)
    for name, people in (("person", sheet.by_staff), ("rendering provider", sheet.by_provider)):
        sums = (
            sum(each.charges_cents for each in people), sum(each.payments_cents for each in people),
            sum(each.adjustments_cents for each in people),
        )  # fmt: skip
        if sums != figures:
            yield f"the sheet of {sheet.day}, by {name}: {_words(sums)}, the proof says {_words(figures)}"
    deposit = sum(row.deposit_cents for row in sheet.deposit)
    if deposit != totals.payments_cents:
        yield (
            f"the sheet of {sheet.day}: the deposit by method is {Money(deposit)}, the proof says payments of "
            f"{Money(totals.payments_cents)}"
        )


def _words(figures: tuple[int, int, int]) -> str:
    return ", ".join(str(Money(cents)) for cents in figures)
