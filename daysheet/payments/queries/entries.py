"""The entries behind a figure of a client, an insurer, an invoice, a line or a payment, as of now or of any past moment
(M8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, Case, Exists, F, OuterRef, Q, QuerySet, Sum, Value, When

from daysheet.clients.models import Client
from daysheet.clients.queries import get_client, get_payer, matching_clients
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.errors import NotFound
from daysheet.ledger.models import Account, Entry
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import Payment
from .payment import seen_payments
from .words import activity_words

PAGE_SIZE = 50
_INSURANCE = Account.INSURANCE_RECEIVABLE
_RECEIVABLES = (Account.CLIENT_RECEIVABLE, _INSURANCE)


class Figure(StrEnum):
    """A figure that pages show. An insurer's own credit is no client's."""

    CLIENT_DUE = "client_due"
    INSURANCE_DUE = "insurance_due"
    DUE = "due"
    CREDIT = "credit"
    INSURER_BALANCE = "insurer_balance"
    CLIENT_BALANCE = "client_balance"
    BALANCE = "balance"
    CHARGED = "charged"
    CHARGED_CLIENT = "charged_client"
    CHARGED_INSURANCE = "charged_insurance"
    SETTLED = "settled"
    RECEIVED = "received"
    APPLIED = "applied"
    UNAPPLIED = "unapplied"
    RETURNED = "returned"

    @property
    def label(self) -> str:
        """As the pages call it."""
        return _LABELS[self]


_LABELS = {
    Figure.CLIENT_DUE: "Client Balance Due",
    Figure.INSURANCE_DUE: "Insurance Balance Due",
    Figure.DUE: "Due from client and insurance",
    Figure.CREDIT: "Client Credit",
    Figure.INSURER_BALANCE: "Balance",
    Figure.CLIENT_BALANCE: "Client balance",
    Figure.BALANCE: "Balance",
    Figure.CHARGED: "Total charged",
    Figure.CHARGED_CLIENT: "Charged to the client",
    Figure.CHARGED_INSURANCE: "Charged to insurance",
    Figure.SETTLED: "Paid and adjusted",
    Figure.RECEIVED: "Amount",
    Figure.APPLIED: "Applied",
    Figure.UNAPPLIED: "Credit",
    Figure.RETURNED: "Refunded or reversed",
}
#: Of one payment.
PAYMENT_FIGURES = (Figure.RECEIVED, Figure.APPLIED, Figure.UNAPPLIED, Figure.RETURNED)
#: Of one insurer: what it owes, what of its money is on no line, and the one less the other.
INSURER_FIGURES = (Figure.INSURANCE_DUE, Figure.UNAPPLIED, Figure.INSURER_BALANCE)
CLIENT_FIGURES = tuple(each for each in Figure if each not in (*PAYMENT_FIGURES, Figure.INSURER_BALANCE))


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which of a figure's entries count. `known_before`: as the books stood at that moment, whatever was posted later;
    `until_on`: posted on that day or before it. `through`: up to an entry, in the order of All Activity. An insurer's
    are narrowed to one client, `client_id`, or to those in whom all words of `client_text` are found."""

    invoice_number: int | None = None
    line_id: UUID | None = None
    until_on: date | None = None
    through: UUID | None = None
    known_before: datetime | None = None
    client_id: UUID | None = None
    client_text: str = ""


@dataclass(frozen=True, slots=True)
class FigureEntry:
    """One entry. `change_cents` is what it did to the figure, with the figure's sign; `client_name` is empty where the
    figure is a client's, and for money that belongs to none."""

    entry: Entry
    words: str
    change_cents: int
    invoice_number: int | None
    client_name: str = ""


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
    actor: Actor, client_id: UUID, figure: Figure, narrowed: Narrowed | None = None, *, page: int = 1
) -> FigureEntries:
    """The entries that make up a figure of a client, or of one invoice or line of theirs. Four statements and the
    client's own. Raises NotFound."""
    get_client(actor, client_id)
    return _entries(Entry.objects.filter(client_id=client_id), figure, narrowed or Narrowed(), page)


@query(Permission.BILLING)
def entries_behind_payment(
    actor: Actor, payment_id: UUID, figure: Figure, narrowed: Narrowed | None = None, *, page: int = 1
) -> FigureEntries:
    """The same of a payment. Raises NotFound."""
    payment = Payment.objects.filter(seen_payments(actor), pk=payment_id).first()
    if payment is None:
        raise NotFound("There is no such payment in this practice.")
    return _entries(
        Entry.objects.filter(payment_id=payment_id), figure, narrowed or Narrowed(), page,
        names_clients=payment.client_id is None,
    )  # fmt: skip


@query(Permission.BILLING)
def figures_of_insurers_seen(actor: Actor) -> tuple[Figure, ...]:
    """The figures of insurers that this actor may see: their money belongs to no client, so who is limited to some
    clients sees only what is owed for these (P1)."""
    return (Figure.INSURANCE_DUE,) if actor.limited_to_assigned else INSURER_FIGURES


@query(Permission.BILLING)
def entries_behind_insurer(
    actor: Actor, payer_id: UUID, figure: Figure, narrowed: Narrowed | None = None, *, page: int = 1
) -> FigureEntries:
    """The same of an insurer: what is owed on lines of its coverages, and its credit. Only the former can be narrowed
    to clients: what came in belongs to none. Raises NotFound."""
    get_payer(actor, payer_id)
    if figure not in figures_of_insurers_seen(actor):
        raise NotFound("There is no such figure of this insurer.")
    asked = narrowed or Narrowed()
    if (asked.client_id or asked.client_text) and figure is not Figure.INSURANCE_DUE:
        raise NotFound("There is no such figure of one client.")
    lines = InvoiceLine.objects.filter(coverage__payer_id=payer_id)
    owed = Q(line_id__in=lines.values("pk")) & (Q(debit_account=_INSURANCE) | Q(credit_account=_INSURANCE))
    held = Q(payment_id__in=Payment.objects.filter(payer_id=payer_id).values("pk"))
    behind = {Figure.INSURANCE_DUE: owed, Figure.UNAPPLIED: held, Figure.INSURER_BALANCE: owed | held}[figure]
    entries = Entry.objects.filter(behind)
    if asked.client_id:
        entries = entries.filter(client_id=get_client(actor, asked.client_id).pk)
    if actor.limited_to_assigned or asked.client_text:
        clients = matching_clients(actor, asked.client_text).order_by()
        entries = entries.filter(client_id__in=clients.values("pk"))
    return _entries(entries, figure, asked, page, names_clients=True)


def _entries(
    entries: QuerySet[Entry], figure: Figure, narrowed: Narrowed, page: int, *, names_clients: bool = False
) -> FigureEntries:
    found: QuerySet[Any] = _narrow(entries, narrowed).annotate(change=_change(figure)).exclude(change=0)
    totals = found.aggregate(cents=Sum("change"), count=Sum(Value(1)))
    count = totals["count"] or 0
    number = min(max(page, 1), max(-(-count // PAGE_SIZE), 1))
    start = (number - 1) * PAGE_SIZE
    order = ("-effective_on", "-pk") if narrowed.through else ("-posted_at", "-pk")
    shown = list(found.order_by(*order)[start : start + PAGE_SIZE])
    lines = InvoiceLine.objects.filter(pk__in={entry.line_id for entry in shown if entry.line_id})
    numbers = dict(lines.values_list("pk", "invoice__number"))
    ids = {entry.client_id for entry in shown if names_clients}
    names = {client.pk: client.sort_name for client in Client.objects.filter(pk__in=ids)}
    rows = tuple(
        FigureEntry(entry, _words(entry), entry.change, numbers.get(entry.line_id), names.get(entry.client_id, ""))
        for entry in shown
    )
    return FigureEntries(rows, totals["cents"] or 0, count, number)


def _narrow(entries: QuerySet[Entry], narrowed: Narrowed) -> QuerySet[Entry]:
    if narrowed.invoice_number is not None:
        lines = InvoiceLine.objects.filter(invoice__number=narrowed.invoice_number)
        entries = entries.filter(line_id__in=lines.values("pk"))
    if narrowed.line_id is not None:
        entries = entries.filter(line_id=narrowed.line_id)
    if narrowed.until_on is not None:
        entries = entries.filter(effective_on__lte=narrowed.until_on)
    if narrowed.known_before is not None:
        entries = entries.filter(posted_at__lt=narrowed.known_before)
    if narrowed.through is not None:
        last = entries.filter(pk=narrowed.through).first()
        if last is None:
            raise NotFound("There is no such entry here.")
        entries = entries.filter(
            Q(effective_on__lt=last.effective_on) | Q(effective_on=last.effective_on, pk__lte=last.pk)
        )
    return entries


def _on(*accounts: Account) -> tuple[Q, Q]:
    """What adds to what is owed on these accounts, and what takes from it."""
    return Q(debit_account__in=accounts), Q(credit_account__in=accounts)


def _between(from_account: Account, to_accounts: tuple[Account, ...]) -> tuple[Q, Q]:
    """What moves from one account to others, and what moves back."""
    return (
        Q(credit_account=from_account, debit_account__in=to_accounts),
        Q(debit_account=from_account, credit_account__in=to_accounts),
    )


def _less_own_credit(*accounts: Account) -> tuple[Q, Q]:
    plus, minus = _on(*accounts)
    own = Q(coverage_id=None)
    return plus | (Q(debit_account=Account.CREDIT) & own), minus | (Q(credit_account=Account.CREDIT) & own)


def _received_anew() -> Exists:
    """Whether a receipt was only taken back for one of another date, in the same event."""
    again = Entry.objects.filter(
        event_id=OuterRef("event_id"), payment_id=OuterRef("payment_id"), debit_account=Account.CASH, reverses_id=None
    )
    return Exists(again)


def _plus_and_minus(figure: Figure) -> tuple[Q, Q]:
    """Which entries add to a figure, and which take from it; one that does both leaves it."""
    in_, out = Q(debit_account=Account.CASH), Q(credit_account=Account.CASH)
    first, mirror = Q(reverses_id=None), Q(reverses_id__isnull=False)
    onto, off = (
        Q(debit_account=Account.CREDIT, line_id__isnull=False),
        Q(credit_account=Account.CREDIT, line_id__isnull=False),
    )
    settled = (Account.CREDIT, Account.WRITE_OFF, Account.CONTRACTUAL)
    return {
        Figure.CLIENT_DUE: lambda: _on(Account.CLIENT_RECEIVABLE),
        Figure.INSURANCE_DUE: lambda: _on(_INSURANCE),
        Figure.DUE: lambda: _on(*_RECEIVABLES),
        Figure.CREDIT: lambda: (
            Q(credit_account=Account.CREDIT, coverage_id=None), Q(debit_account=Account.CREDIT, coverage_id=None),
        ),
        Figure.INSURER_BALANCE: lambda: _on(_INSURANCE, Account.CREDIT),
        Figure.CLIENT_BALANCE: lambda: _less_own_credit(Account.CLIENT_RECEIVABLE),
        Figure.BALANCE: lambda: _less_own_credit(*_RECEIVABLES),
        Figure.CHARGED: lambda: _between(Account.REVENUE, _RECEIVABLES),
        Figure.CHARGED_CLIENT: lambda: _between(Account.REVENUE, _RECEIVABLES[:1]),
        Figure.CHARGED_INSURANCE: lambda: _between(Account.REVENUE, _RECEIVABLES[1:]),
        Figure.SETTLED: lambda: (
            Q(debit_account__in=settled, credit_account__in=_RECEIVABLES),
            Q(credit_account__in=settled, debit_account__in=_RECEIVABLES),
        ),
        Figure.RECEIVED: lambda: (in_ & first, out & mirror & Q(_received_anew())),
        Figure.APPLIED: lambda: (onto, off),
        Figure.UNAPPLIED: lambda: (Q(credit_account=Account.CREDIT), Q(debit_account=Account.CREDIT)),
        Figure.RETURNED: lambda: (out & (first | (mirror & ~Q(_received_anew()))), in_ & mirror),
    }[figure]()  # fmt: skip


def _change(figure: Figure) -> Case:
    plus, minus = _plus_and_minus(figure)
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
