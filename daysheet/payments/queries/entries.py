"""The entries behind a figure of a client or an invoice, as of now or of any past moment (M8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db.models import BigIntegerField, Case, F, Q, Sum, Value, When

from daysheet.clients.queries import get_client
from daysheet.invoicing.models import InvoiceLine
from daysheet.ledger.models import Account, Entry
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .words import activity_words

PAGE_SIZE = 50


class Figure(StrEnum):
    """A figure that pages show of a client; an insurer's own credit is no client's."""

    CLIENT_DUE = "client_due"
    INSURANCE_DUE = "insurance_due"
    CREDIT = "credit"
    BALANCE = "balance"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Figure.CLIENT_DUE: "Client Balance Due",
    Figure.INSURANCE_DUE: "Insurance Balance Due",
    Figure.CREDIT: "Client Credit",
    Figure.BALANCE: "Balance",
}
_RECEIVABLE = {
    Figure.CLIENT_DUE: (Account.CLIENT_RECEIVABLE,),
    Figure.INSURANCE_DUE: (Account.INSURANCE_RECEIVABLE,),
    Figure.CREDIT: (),
    Figure.BALANCE: (Account.CLIENT_RECEIVABLE, Account.INSURANCE_RECEIVABLE),
}


@dataclass(frozen=True, slots=True)
class FigureEntry:
    """One entry. `change_cents` is what it did to the figure, with the figure's sign."""

    entry: Entry
    words: str
    change_cents: int
    invoice_number: int | None


@dataclass(frozen=True, slots=True)
class FigureEntries:
    """A page of them, newest first; `figure_cents` is the sum of all, on every page the same."""

    rows: tuple[FigureEntry, ...]
    figure_cents: int
    count: int
    number: int

    @property
    def has_next(self) -> bool:
        return self.number * PAGE_SIZE < self.count


@query(Permission.BILLING)
def entries_behind(
    actor: Actor,
    client_id: UUID,
    figure: Figure,
    *,
    invoice_number: int | None = None,
    known_before: datetime | None = None,
    page: int = 1,
) -> FigureEntries:
    """The entries that make up a figure of a client, or of one invoice. `known_before`: as the books stood at that
    moment, whatever was posted later. Three statements and the client's own. Raises NotFound."""
    get_client(actor, client_id)
    change = _change(figure)
    entries = Entry.objects.filter(client_id=client_id).annotate(change=change).exclude(change=0)
    if invoice_number is not None:
        entries = entries.filter(line_id__in=InvoiceLine.objects.filter(invoice__number=invoice_number).values("pk"))
    if known_before is not None:
        entries = entries.filter(posted_at__lt=known_before)
    count = entries.count()
    number = min(max(page, 1), max(-(-count // PAGE_SIZE), 1))
    start = (number - 1) * PAGE_SIZE
    shown = list(entries.order_by("-posted_at", "-pk")[start : start + PAGE_SIZE])
    lines = InvoiceLine.objects.filter(pk__in={entry.line_id for entry in shown if entry.line_id})
    numbers = dict(lines.values_list("pk", "invoice__number"))
    return FigureEntries(
        tuple(
            FigureEntry(entry, _words(entry), entry.change, numbers.get(entry.line_id))  # type: ignore[arg-type]
            for entry in shown
        ),
        entries.aggregate(cents=Sum("change"))["cents"] or 0,
        count,
        number,
    )


def _change(figure: Figure) -> Case:
    """What an entry adds to the figure: a receivable's debits, or credit's credits; as of a balance, the first less the
    second."""
    plus = Q(debit_account__in=_RECEIVABLE[figure])
    minus = Q(credit_account__in=_RECEIVABLE[figure])
    if figure in (Figure.CREDIT, Figure.BALANCE):
        more, less = Q(credit_account=Account.CREDIT), Q(debit_account=Account.CREDIT)
        own = Q(coverage_id=None)
        plus |= (less if figure is Figure.BALANCE else more) & own
        minus |= (more if figure is Figure.BALANCE else less) & own
    return Case(
        When(plus & minus, then=Value(0)),
        When(plus, then=F("amount_cents")),
        When(minus, then=-F("amount_cents")),
        default=Value(0),
        output_field=BigIntegerField(),
    )


def _words(entry: Entry) -> str:
    debit, credit = Account(entry.debit_account), Account(entry.credit_account)
    return activity_words(debit, credit, is_reversal=entry.reverses_id is not None)
