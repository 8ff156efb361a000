"""Ageing, payments, credits, collections and unbilled work as tables: for the page, for paper, and for files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from daysheet.kit.tables import Cell, Table, balance, count, day, money, text
from daysheet.ledger.rules import EntryClass
from daysheet.payments.queries.entries import Figure
from daysheet.practices.actor import Actor

from .day_tables import money_in_and_out
from .links import (
    appointment_url,
    client_url,
    entries_url,
    figure_url,
    invoice_url,
    payment_figure_url,
    payment_url,
    report_url,
)
from .queries.ageing import Aging, AgingFilters, Debtor, OpenLine
from .queries.collections import MonthFigures
from .queries.credits import CreditFilters, CreditRow
from .queries.entries import BEGINNING, Balance
from .queries.receipts import MethodTotal, Receipt, ReceiptFilters
from .queries.unbilled import UnbilledAges
from .rules import BUCKETS, Aged

_WHO = {Debtor.CLIENT: "Client", Debtor.INSURER: "Insurer", Debtor.BOTH: "Client"}
_OPEN = {Debtor.CLIENT: Figure.CLIENT_DUE, Debtor.INSURER: Figure.INSURANCE_DUE, Debtor.BOTH: Figure.DUE}
_BUCKET_MONEY = tuple(money(bucket.label) for bucket in BUCKETS)


def aging_table(actor: Actor, aging: Aging, first: int = 0, last: int | None = None) -> Table:
    """Rows `first` to `last`; the total is of all of them. Every amount opens to its lines."""
    rows = tuple(
        (Cell(row.name, _debtor_url(actor, aging.filters, row.id)), *_aged(actor, aging.filters, row.aged, row.id))
        for row in aging.rows[first:last]
    )
    columns = (text(_WHO[aging.filters.debtor]), *_BUCKET_MONEY, money("Due"), money("Credit"), balance("Balance"))
    return Table("Invoice Aging", columns, rows, (Cell("Total"), *_aged(actor, aging.filters, aging.total, None)))


def open_lines_table(actor: Actor, filters: AgingFilters, lines: Sequence[OpenLine], total_cents: int) -> Table:
    """The lines behind an amount of Invoice Aging; each opens to its entries."""
    figure = _OPEN[filters.debtor]
    columns = (
        text("Client"), text("Insurer"), text("Invoice"), day("Date of service"), day("Invoice date"),
        text("Service"), count("Days"), money("Open"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(line.client_name, client_url(actor, line.client_id)), Cell(line.payer_name),
            Cell(str(line.invoice_number), invoice_url(actor, line.invoice_number)), Cell(line.service_on),
            Cell(line.issued_on), Cell(line.name), Cell(line.age_days),
            Cell(line.open_cents, figure_url(actor, line.client_id, figure, line=line.id, until=filters.as_of)),
        )
        for line in lines
    )  # fmt: skip
    return Table("Open lines", columns, rows, (Cell("Total"), *([Cell(None)] * 6), Cell(total_cents)))


def receipts_table(
    actor: Actor, filters: ReceiptFilters, rows: Sequence[Receipt], total_cents: int, title: str = "Payments"
) -> Table:
    """Payments, refunds and reversals by posting date."""
    columns = (
        text("From"), day("Posted on"), day("Received on"), text("What"), text("Method"), text("Number"),
        text("Posted by"), money("Amount"),
    )  # fmt: skip
    cells = tuple(
        (
            Cell(row.name, client_url(actor, row.client_id)), Cell(row.posted_on), Cell(row.received_on),
            Cell(row.what, payment_url(actor, row.payment_id)), Cell(row.method_label), Cell(row.number or None),
            Cell(row.actor_name), Cell(row.cents, _payment_figure(actor, row)),
        )
        for row in rows
    )  # fmt: skip
    behind = entries_url(
        actor, filters.from_on, filters.to_on, kind=EntryClass.PAYMENT.value, method=filters.method or None,
        source=_source(actor, filters),
    )  # fmt: skip
    return Table(title, columns, cells, (Cell("Total"), *([Cell(None)] * 6), Cell(total_cents, behind)))


def _source(actor: Actor, filters: ReceiptFilters) -> str | None:
    """Whose money: an insurer's belongs to no client, so people limited to some see none of it here."""
    return filters.source or ("client" if actor.limited_to_assigned else None)


def _payment_figure(actor: Actor, row: Receipt) -> str:
    """What came in of the payment, or what was given back of it."""
    return payment_figure_url(actor, row.payment_id, Figure.RECEIVED if row.cents > 0 else Figure.RETURNED)


def methods_table(actor: Actor, totals: Sequence[MethodTotal], filters: ReceiptFilters) -> Table:
    """What came in by each method."""
    columns = (text("Method"), count("Payments"), money("Received"), money("Refunded or reversed"), money("Deposit"))
    asked: dict[str, Any] = {"from_on": filters.from_on, "to_on": filters.to_on, "source": _source(actor, filters)}
    rows = tuple(
        (
            Cell(row.label, report_url(actor, "payments", method=row.method, **asked)), Cell(row.count),
            *money_in_and_out(
                actor, (row.received_cents, row.returned_cents, row.deposit_cents), method=row.method, **asked
            ),
        )
        for row in totals
    )  # fmt: skip
    sums = (
        sum(row.received_cents for row in totals), sum(row.returned_cents for row in totals),
        sum(row.deposit_cents for row in totals),
    )  # fmt: skip
    asked["method"] = filters.method or None
    total = (Cell("Total"), Cell(sum(row.count for row in totals)), *money_in_and_out(actor, sums, **asked))
    return Table("Deposit by method", columns, rows, total)


def credits_table(actor: Actor, filters: CreditFilters, rows: Sequence[CreditRow], total_cents: int) -> Table:
    """Payments with something left, and for how long."""
    columns = (
        text("From"), day("Received on"), text("Method"), text("Number"), money("Payment"), count("Days"),
        money("Not applied"),
    )  # fmt: skip
    cells = tuple(
        (
            Cell(row.name, client_url(actor, row.client_id)), Cell(row.received_on, payment_url(actor, row.payment_id)),
            Cell(row.method), Cell(row.number or None),
            Cell(row.amount_cents, payment_figure_url(actor, row.payment_id, Figure.RECEIVED)), Cell(row.age_days),
            Cell(
                row.unapplied_cents,
                payment_figure_url(actor, row.payment_id, Figure.UNAPPLIED, until=filters.as_of),
            ),
        )
        for row in rows
    )  # fmt: skip
    behind = entries_url(
        actor, BEGINNING, filters.as_of, balance=Balance.CREDIT.value, source=filters.source or None,
        client=filters.client_id, payer=filters.payer_id,
    )  # fmt: skip
    return Table("Credits", columns, cells, (Cell("Total"), *([Cell(None)] * 5), Cell(total_cents, behind)))


def collections_table(actor: Actor, months: Sequence[MonthFigures]) -> Table:
    """A row a month; every amount opens to its entries."""
    rows = []
    for month in months:
        figures = (month.charges_cents, month.payments_cents, month.adjustments_cents)
        cells = _by_kind(actor, month.from_on, month.to_on, figures)
        rows.append((Cell(f"{month.from_on:%B %Y}"), *cells))
    sums = (
        sum(month.charges_cents for month in months), sum(month.payments_cents for month in months),
        sum(month.adjustments_cents for month in months),
    )  # fmt: skip
    cells = _by_kind(actor, months[0].from_on, months[-1].to_on, sums) if months else (Cell(0),) * 4
    total = (Cell("Total"), *cells)
    columns = (
        text("Month"), money("Charges"), money("Payments"), money("Adjustments"), money("Change of the balance"),
    )  # fmt: skip
    return Table("Collections", columns, tuple(rows), total)


def unbilled_table(actor: Actor, ages: UnbilledAges) -> Table:
    """Dates of service by what stops them and by age; every count opens to its dates."""
    columns = (
        text("What stops it"), *(count(bucket.label) for bucket in BUCKETS), count("Dates"), money("Amount"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(row.label, report_url(actor, "unbilled", reason=row.reason)),
            *(
                Cell(number, report_url(actor, "unbilled", reason=row.reason, bucket=position) if number else "")
                for position, number in enumerate(row.bucket_counts)
            ),
            Cell(row.count), Cell(row.amount_cents, report_url(actor, "unbilled", reason=row.reason)),
        )
        for row in ages.reasons
    )  # fmt: skip
    sums = [sum(row.bucket_counts[position] for row in ages.reasons) for position in range(len(BUCKETS))]
    total = (
        Cell("Total"), *(Cell(number) for number in sums), Cell(sum(sums)),
        Cell(sum(row.amount_cents for row in ages.reasons)),
    )  # fmt: skip
    return Table("Unbilled", columns, rows, total)


def unbilled_dates_table(actor: Actor, ages: UnbilledAges, first: int, last: int) -> Table:
    """The dates behind a count, rows `first` to `last`."""
    columns = (
        text("Client"), day("Date"), text("Staff"), text("Status"), text("What stops it"), money("Amount"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(row.client_name, client_url(actor, row.client_id)), Cell(row.service_on), Cell(row.staff_name),
            Cell(row.status), Cell(row.reason, note=row.services),
            Cell(row.amount_cents, appointment_url(actor, row.appointment_id)),
        )
        for row in ages.rows[first:last]
    )  # fmt: skip
    return Table("Dates of service", columns, rows)


def _by_kind(actor: Actor, from_on: date, to_on: date, figures: tuple[int, int, int]) -> tuple[Cell, ...]:
    """Charges, payments, adjustments and what they do to the balance, each with the way to its entries."""
    charges, payments, adjustments = figures
    kinds = (EntryClass.CHARGE, EntryClass.PAYMENT, EntryClass.ADJUSTMENT, None)
    shown = (charges, payments, adjustments, charges - payments - adjustments)
    return tuple(
        Cell(cents, entries_url(actor, from_on, to_on, kind=kind and kind.value))
        for kind, cents in zip(kinds, shown, strict=True)
    )


def _aged(actor: Actor, filters: AgingFilters, aged: Aged, of: Any) -> list[Cell]:
    """The cells of a row of ageing, each with the way to what is behind it."""

    def lines(bucket: int | None) -> str:
        return report_url(actor, "aging_lines", **_asked(filters), of=of, bucket=bucket)

    owner = "payer" if filters.debtor is Debtor.INSURER else "client"
    source = "insurer" if filters.debtor is Debtor.INSURER else "client"
    credits = report_url(actor, "credits", as_of=filters.as_of, source=source, **({owner: of} if of else {}))
    return [
        *(Cell(cents, lines(number) if cents else "") for number, cents in enumerate(aged.bucket_cents)),
        Cell(aged.due_cents, lines(None) if aged.due_cents else ""),
        Cell(aged.credit_cents, credits if aged.credit_cents else ""),
        Cell(aged.balance_cents, _balance_url(actor, filters, of)),
    ]


def _balance_url(actor: Actor, filters: AgingFilters, of: Any) -> str:
    """All entries of a balance: of a client, of an insurer, or of everybody."""
    if of and filters.debtor is not Debtor.INSURER:
        figure = Figure.BALANCE if filters.debtor is Debtor.BOTH else Figure.CLIENT_BALANCE
        return figure_url(actor, of, figure, until=filters.as_of)
    balance = Balance(filters.debtor.value)
    return entries_url(actor, BEGINNING, filters.as_of, balance=balance.value, payer=of)


def _asked(filters: AgingFilters) -> dict[str, Any]:
    return {"by": filters.debtor.value, "since": filters.since.value, "as_of": filters.as_of}


def _debtor_url(actor: Actor, filters: AgingFilters, debtor_id: Any) -> str:
    if filters.debtor is Debtor.INSURER:
        return report_url(actor, "aging_lines", **_asked(filters), of=debtor_id)
    return client_url(actor, debtor_id)
