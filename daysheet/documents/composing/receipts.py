"""The receipt of a client's payment: what was received, where it went, what is left (D1)."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from daysheet.kit.dates import us_date
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..papers import Block, Cell, Column, Grid, Holds, Kind, Letterhead, Paper, Subject, Sum, Words, one_line
from ..queries.invoices import location_of
from ..queries.letterheads import letterheads
from ..queries.receipts import Receipt, receipts
from .common import addressee, message_block, money, service


@query(Permission.BILLING)
def receipt_papers(actor: Actor, payment_ids: Collection[UUID]) -> list[Paper]:
    """The receipts of these payments of clients whom the actor may see, in the order of `payment_ids`."""
    found = receipts(actor, payment_ids)
    places = {pk: next((location_of(each.line) for each in one.applied), None) for pk, one in found.items()}
    heads = letterheads(actor, places.values())
    return [
        receipt_paper(found[pk], heads.at(places[pk]), heads.message)
        for pk in dict.fromkeys(payment_ids)
        if pk in found
    ]


def receipt_paper(receipt: Receipt, head: Letterhead, message: str) -> Paper:
    """One receipt."""
    row, client = receipt.row, receipt.payment.client
    return Paper(
        kind=Kind.RECEIPT,
        client_id=client.pk,
        title="Receipt",
        identity=one_line(f"{client.document_name} · Receipt of {us_date(row.received_on)}"),
        letterhead=head,
        addressee=addressee(client),
        facts=(
            ("Date of payment", us_date(row.received_on)),
            ("Paid by", one_line(f"{row.method} {row.number}")),
        ),
        headline=("Received", money(row.amount_cents)),
        banner="This payment was taken back: nothing of it counts." if row.is_reversed else "",
        blocks=(*_blocks(receipt), *message_block(message)),
        subject=Subject(payment_id=receipt.payment.pk),
    )


def _blocks(receipt: Receipt) -> tuple[Block, ...]:
    row = receipt.row
    sums = [Sum("Applied", (money(sum(each.cents for each in receipt.applied)),))]
    if row.credit_cents:
        sums.append(Sum("Kept as your credit", (money(row.credit_cents),)))
    if row.returned_cents:
        sums.append(Sum("Given back to you", (money(row.returned_cents),)))
    sums.append(Sum("Received", (money(row.amount_cents),), strong=True))
    if not receipt.applied:
        said = [f"Nothing of it is applied to an invoice yet: {money(row.credit_cents)} is kept as your credit."]
        if row.returned_cents:
            said = [
                f"{money(row.returned_cents)} of it was given back to you, {money(row.credit_cents)} is your credit."
            ]
        return (Words("", tuple(said)),)
    columns = (
        Column("Date of service", Holds.DATE), Column("Service", share=1), Column("Invoice", Holds.NUMBER),
        Column("Charge", Holds.MONEY), Column("Paid with this", Holds.MONEY),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(us_date(each.line.service_on)),
            Cell(service(each.line.code, each.line.name), one_line(each.line.rendering_name)),
            Cell(str(each.line.invoice.number)),
            Cell(money(each.line.amount_cents)),
            Cell(money(each.cents)),
        )
        for each in receipt.applied
    )
    return (Grid("What it paid", columns, rows, tuple(sums)),)
