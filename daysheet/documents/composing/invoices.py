"""The invoice: its lines as they were frozen (B9), what was paid, and what is due. No diagnosis stands on it (D3)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from daysheet.invoicing.models import InvoiceLine
from daysheet.invoicing.registry import credit_of
from daysheet.kit.dates import local_date, us_date
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..papers import Cell, Column, Grid, Holds, Kind, Letterhead, Paper, Subject, Sum, Words, one_line, text_lines
from ..queries.invoices import PrintedInvoice, location_of, printed_invoices
from ..queries.letterheads import letterheads
from .common import message_block, money, service


@query(Permission.BILLING)
def invoice_papers(actor: Actor, invoice_ids: Collection[UUID]) -> list[Paper]:
    """These invoices, as far as the actor may see them, in the order of `invoice_ids`. A fixed number of statements."""
    found = printed_invoices(actor, invoice_ids)
    heads = letterheads(actor, {location_of(line) for each in found.values() for line in each.lines})
    owing = {each.invoice.client_id for each in found.values() if any(line.client_open_cents for line in each.lines)}
    credit = credit_of(actor, owing)
    return [
        invoice_paper(
            actor, found[pk], heads.of_invoice(found[pk].invoice, found[pk].location_id), heads.message,
            credit.get(found[pk].invoice.client_id, 0),
        )
        for pk in dict.fromkeys(invoice_ids)
        if pk in found
    ]  # fmt: skip


def invoice_paper(actor: Actor, printed: PrintedInvoice, head: Letterhead, message: str, credit_cents: int) -> Paper:
    """One invoice."""
    invoice, void = printed.invoice, printed.void
    due = sum(line.client_open_cents for line in printed.lines)
    return Paper(
        kind=Kind.INVOICE,
        client_id=invoice.client_id,
        title=f"Invoice {invoice.number}",
        identity=one_line(f"{invoice.client_name} · Invoice {invoice.number}"),
        letterhead=head,
        addressee=(one_line(invoice.client_name), *text_lines(invoice.client_address)),
        facts=(("Date", us_date(invoice.issued_on)),),
        headline=None if void else ("Amount due", money(due)),
        banner=_void(local_date(void.voided_at, actor.practice.time_zone)) if void else "",
        blocks=(
            _lines(printed),
            *(Words("", said) for said in [_said(due, credit_cents, invoice.note)] if said),
            *message_block(message),
        ),
        has_window=True,
        subject=Subject(invoice_id=invoice.pk),
    )


def _void(voided_on: date) -> str:
    return f"Void since {us_date(voided_on)}: nothing is due on this invoice."


def _lines(printed: PrintedInvoice) -> Grid:
    lines = printed.lines
    insured = sum(line.insurance_open_cents for line in lines)
    settled = printed.settled_sum()
    sums = [Sum("Total", (money(sum(line.amount_cents for line in lines)),), strong=True)]
    if not printed.void:
        for label, cents in (
            ("Paid by you", settled.client_paid_cents),
            ("Paid by insurance", settled.insurance_paid_cents),
            ("Adjusted", settled.adjusted_cents),
            ("Waiting for insurance", insured),
        ):
            sums += [Sum(label, (money(-cents),))] if cents else []
        sums.append(Sum("Amount due from you", (money(sum(line.client_open_cents for line in lines)),), strong=True))
    columns = (
        Column("Date of service", Holds.DATE), Column("Service", share=3), Column("Provider", share=2),
        Column("Units", Holds.NUMBER), Column("Rate", Holds.MONEY), Column("Amount", Holds.MONEY),
    )  # fmt: skip
    return Grid("Services", columns, tuple(map(_line, lines)), tuple(sums))


def _line(line: InvoiceLine) -> tuple[Cell, ...]:
    about = " · ".join(part for part in (" ".join(line.modifiers), line.note) if part)
    return (
        Cell(us_date(line.service_on)),
        Cell(service(line.code, line.name), one_line(about)),
        Cell(one_line(line.rendering_name) or "–"),
        Cell(str(line.units)),
        Cell(money(line.rate_cents)),
        Cell(money(line.amount_cents)),
    )


def _said(due_cents: int, credit_cents: int, note: str) -> tuple[str, ...]:
    said = [one_line(note)] if note else []
    if due_cents and credit_cents:
        said.append(f"You have a credit of {money(credit_cents)} with us that is not applied to an invoice yet.")
    return tuple(said)
