"""The Day Sheet and the entries behind it as tables: for the page, for paper, and for files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from daysheet.kit.tables import Cell, Table, day, money, text
from daysheet.ledger.rules import EntryClass
from daysheet.practices.actor import Actor

from .links import appointment_url, client_url, entries_url, invoice_url, payment_url
from .queries.day_sheet import DaySheet, DepositRow, PersonFigures
from .queries.entries import BEGINNING, NO_LINE, Direction, EntryPage, EntryRow

_FIGURES = (money("Charges"), money("Payments"), money("Adjustments"))
_KINDS = (EntryClass.CHARGE, EntryClass.PAYMENT, EntryClass.ADJUSTMENT)


def day_sheet_tables(actor: Actor, sheet: DaySheet) -> list[Table]:
    """Proof, by person, by provider, deposit, unfinished: all of a day, in the order of the page."""
    return [
        proof_table(actor, sheet),
        people_table(actor, sheet, "By person who posted", "staff", sheet.by_staff),
        people_table(actor, sheet, "By rendering provider", "provider", sheet.by_provider),
        deposit_table(actor, sheet),
        unfinished_table(actor, sheet),
    ]


def proof_table(actor: Actor, sheet: DaySheet) -> Table:
    """Opening balance + charges − payments − adjustments = closing balance; each opens to what is behind it."""
    totals = sheet.totals
    behind = {kind: _entries_url(actor, sheet.day, kind) for kind in _KINDS}
    before = date.fromordinal(sheet.day.toordinal() - 1)
    rows = (
        (Cell("Opening balance"), Cell(totals.opening_cents, entries_url(actor, BEGINNING, before))),
        (Cell("+ Charges"), Cell(totals.charges_cents, behind[EntryClass.CHARGE])),
        (Cell("− Payments"), Cell(totals.payments_cents, behind[EntryClass.PAYMENT])),
        (Cell("− Adjustments"), Cell(totals.adjustments_cents, behind[EntryClass.ADJUSTMENT])),
    )
    closing = (Cell("= Closing balance"), Cell(totals.closing_cents, entries_url(actor, BEGINNING, sheet.day)))
    return Table("Proof", (text("Balance"), money("Amount")), rows, closing)


def people_table(actor: Actor, sheet: DaySheet, title: str, filter_name: str, people: Sequence[PersonFigures]) -> Table:
    """One row a person; `filter_name` is how the entries behind it are asked for."""
    rows = tuple(_person(actor, sheet.day, filter_name, person) for person in people)
    sums = (
        sum(person.charges_cents for person in people),
        sum(person.payments_cents for person in people),
        sum(person.adjustments_cents for person in people),
    )
    behind = (_entries_url(actor, sheet.day, kind) for kind in _KINDS)
    total = (Cell("Total"), *(Cell(cents, url) for cents, url in zip(sums, behind, strict=True)))
    return Table(title, (text("Name"), *_FIGURES), rows, total)


def deposit_table(actor: Actor, sheet: DaySheet) -> Table:
    """Money in the till and on the account, by method."""
    rows = tuple(_deposit(actor, sheet.day, row) for row in sheet.deposit)
    sums = (
        sum(row.received_cents for row in sheet.deposit),
        sum(row.returned_cents for row in sheet.deposit),
        sum(row.deposit_cents for row in sheet.deposit),
    )
    total = (Cell("Total"), *money_in_and_out(actor, sums, sheet.day, sheet.day))
    columns = (text("Method"), money("Received"), money("Refunded or reversed"), money("Deposit"))
    return Table("Deposit by method", columns, rows, total)


def unfinished_table(actor: Actor, sheet: DaySheet) -> Table:
    """Dates of service of the day that are not billed, with what stops each."""
    columns = (text("Client"), text("Staff"), text("Status"), text("What stops it"), money("Amount"))
    rows = tuple(
        (
            Cell(row.client_name, client_url(actor, row.client_id)),
            Cell(row.staff_name),
            Cell(row.status),
            Cell(row.reason, note=row.services),
            Cell(row.amount_cents, appointment_url(actor, row.appointment_id)),
        )
        for row in sheet.unfinished
    )
    return Table("Unfinished work", columns, rows)


def entries_table(actor: Actor, page: EntryPage, title: str) -> Table:
    """The entries behind a figure; the total is of all of them, shown here or not."""
    columns = (
        text("What"), day("Posted on"), text("From"), text("Invoice"), text("Posted by"), money("Entry"),
        money("In this figure"),
    )  # fmt: skip
    rows = tuple(_entry(actor, row) for row in page.rows)
    total = (Cell("Total"), *([Cell(None)] * 5), Cell(page.figure_cents))
    return Table(title, columns, rows, total)


def name_of_person(name: str) -> str:
    """What a row without a name is called."""
    if name == NO_LINE:
        return "On no line (credit)"
    return name or "No rendering provider"


def _person(actor: Actor, on: date, filter_name: str, person: PersonFigures) -> tuple[Cell, ...]:
    figures = (person.charges_cents, person.payments_cents, person.adjustments_cents)
    asked = {filter_name: person.name or "none"}
    cells = (
        Cell(cents, _entries_url(actor, on, kind, **asked) if cents else "")
        for kind, cents in zip(_KINDS, figures, strict=True)
    )
    return (Cell(name_of_person(person.name)), *cells)


def _deposit(actor: Actor, on: date, row: DepositRow) -> tuple[Cell, ...]:
    figures = (row.received_cents, row.returned_cents, row.deposit_cents)
    return (Cell(row.label), *money_in_and_out(actor, figures, on, on, method=row.method))


def money_in_and_out(
    actor: Actor, figures: tuple[int, int, int], from_on: date, to_on: date, **asked: object
) -> tuple[Cell, Cell, Cell]:
    """Received, given back and what is left, in cents, each with the way to its entries."""
    received, returned, deposit = figures

    def behind(direction: Direction | None) -> str:
        return entries_url(
            actor, from_on, to_on, kind=EntryClass.PAYMENT.value, direction=direction and direction.value, **asked
        )

    return (
        Cell(received, behind(Direction.IN)), Cell(returned, behind(Direction.OUT)), Cell(deposit, behind(None)),
    )  # fmt: skip


def _entry(actor: Actor, row: EntryRow) -> tuple[Cell, ...]:
    number = str(row.invoice_number) if row.invoice_number else None
    return (
        Cell(row.words, payment_url(actor, row.payment_id), row.reason),
        Cell(row.effective_on),
        Cell(row.client_name or row.payer_name, client_url(actor, row.client_id)),
        Cell(number, invoice_url(actor, row.invoice_number)),
        Cell(row.actor_name),
        Cell(row.amount_cents),
        Cell(row.figure_cents),
    )


def _entries_url(actor: Actor, on: date, kind: EntryClass, **asked: str) -> str:
    return entries_url(actor, on, on, kind=kind.value, **asked)
