"""The statement: previous balance, activity, ending balance, and how old what is due is (D1)."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from daysheet.clients.models import Client
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.dates import us_date
from daysheet.ledger.models import Account
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.reports.rules import BUCKETS

from ..models import DocumentSettings
from ..papers import Block, Cell, Column, Grid, Holds, Kind, Letterhead, Paper, Subject, Sum, Words, one_line
from ..queries.letterheads import letterheads
from ..queries.statements import Statement, StatementChoices, StatementRow, statements
from ..rules import Part
from .common import addressee, balance, count_of, days, message_block, money, service


@query(Permission.BILLING)
def statement_papers(actor: Actor, client_ids: Collection[UUID], choices: StatementChoices) -> list[Paper]:
    """The statements of these clients, as far as the actor may see them, in the order of `client_ids`. A fixed number
    of statements to the database for any number of clients; take them by a few hundred."""
    found = statements(actor, client_ids, choices)
    clients = Client.objects.in_bulk(list(found))
    places = _latest_locations(list(found))
    heads = letterheads(actor, places.values())
    return [
        statement_paper(actor, clients[pk], found[pk], choices, heads.at(places.get(pk)), heads.message)
        for pk in dict.fromkeys(client_ids)
        if pk in found
    ]


def statement_paper(
    actor: Actor, client: Client, statement: Statement, choices: StatementChoices, head: Letterhead, message: str
) -> Paper:
    """One statement."""
    figures, period = statement.figures, choices.period
    credit = -figures.client.ending_cents if figures.client.ending_cents < 0 else 0
    return Paper(
        kind=Kind.STATEMENT,
        client_id=client.pk,
        title="Statement",
        identity=one_line(f"{client.document_name} · Statement of {us_date(actor.today)}"),
        letterhead=head,
        addressee=addressee(client),
        facts=(
            ("Date", us_date(actor.today)),
            ("Period", days(period.first_on, period.last_on)),
            ("Listed", choices.basis.label.lower()),
        ),
        headline=("Your credit", money(credit)) if credit else ("Amount due", money(figures.due_cents)),
        blocks=(
            _activity(statement, choices),
            Words("", tuple(_said(statement))),
            *_ages(statement),
            *message_block(message),
        ),
        has_window=True,
        subject=Subject(first_on=period.first_on, last_on=period.last_on),
    )


def _latest_locations(client_ids: list[UUID]) -> dict[UUID, UUID]:
    """Where each client was last seen for a billed service, while documents name locations' addresses."""
    settings = DocumentSettings.objects.first()
    if settings is None or settings.pay_to != DocumentSettings.PayTo.LOCATION:
        return {}
    lines = InvoiceLine.objects.filter(client_id__in=client_ids, ended_at=None, visit_service__isnull=False)
    rows = lines.order_by("client_id", "-service_on", "-pk").distinct("client_id")
    return dict(rows.values_list("client_id", "visit_service__visit__appointment__location_id"))


def _activity(statement: Statement, choices: StatementChoices) -> Grid:
    client, insurance = statement.figures.client, statement.figures.insurance
    has_insurance = bool(
        insurance.previous_cents
        or insurance.ending_cents
        or statement.insurance_only_cents
        or any(row.insurance_cents for row in statement.rows)
    )

    def row_of(day: str, what: Cell, invoice: str, insurance: str, you: str, after: int) -> tuple[Cell, ...]:
        amounts = (insurance, you) if has_insurance else (you,)
        return (Cell(day), what, Cell(invoice), *(Cell(amount) for amount in amounts), Cell(balance(after)))

    after = client.previous_cents
    first_on, start = us_date(choices.period.first_on), Cell("Previous balance")
    rows = [row_of(first_on, start, "", _unless_zero(insurance.previous_cents), "", after)]
    for row in statement.rows:
        after += row.client_cents
        you = money(row.client_cents) if row.client_cents or not row.insurance_cents else ""
        number = str(row.invoice_number or "")
        rows.append(row_of(us_date(row.on), _what(row), number, _unless_zero(row.insurance_cents), you, after))
    if statement.insurance_only_count:
        lines = count_of(statement.insurance_only_count, "line", "lines")
        said = Cell("Billed to insurance only", f"{lines}, not listed one by one")
        rows.append(row_of("", said, "", money(statement.insurance_only_cents), "", after))
    columns = [Column("Date", Holds.DATE), Column("Activity", share=1), Column("Invoice", Holds.NUMBER)]
    columns += [Column("Insurance", Holds.MONEY)] if has_insurance else []
    columns += [Column("You", Holds.MONEY), Column("Your balance", Holds.MONEY)]
    ending = (money(insurance.ending_cents),) if has_insurance else ()
    sums = Sum("Ending balance", (*ending, "", balance(client.ending_cents)), strong=True)
    note = "" if statement.rows else "Nothing happened in this period."
    return Grid("Account activity", tuple(columns), tuple(rows), (sums,), note)


def _unless_zero(cents: int) -> str:
    return money(cents) if cents else ""


def _what(row: StatementRow) -> Cell:
    """What happened; below it the service it was about, with its day where that is another."""
    named = service(row.code, row.name) if row.name else ""
    day = us_date(row.service_on) if row.service_on and row.service_on != row.on else ""
    if row.part is Part.CHARGE and named:
        return Cell(named, f"Date of service {day}" if day else "")
    return Cell(one_line(_event(row)), " ".join(part for part in (day, named) if part))


def _event(row: StatementRow) -> str:
    by = f"{row.method} {row.number}".strip()
    match row.part:
        case Part.PAYMENT if row.name:
            return "Insurance payment" if row.insurance_cents < 0 else "Insurance payment taken back"
        case Part.PAYMENT:
            return f"Payment, {by}" if row.client_cents < 0 else f"Payment given back, {by}"
        case Part.MOVED:
            return "Moved from insurance to you" if row.client_cents > 0 else "Moved from you to insurance"
        case Part.ADJUSTMENT:
            named = "Insurance adjustment" if row.account == Account.CONTRACTUAL else "Write-off"
            return named if row.client_cents + row.insurance_cents < 0 else f"{named} taken back"
    return "Charge"


def _said(statement: Statement) -> list[str]:
    """The result in words: a credit is no amount due."""
    figures = statement.figures
    said = []
    if figures.client.ending_cents > 0:
        counted = f", after your credit of {money(figures.credit_cents)}" if figures.credit_cents else ""
        said.append(f"Please pay {money(figures.due_cents)}{counted}.")
    elif figures.client.ending_cents < 0:
        said.append(f"You have a credit of {money(-figures.client.ending_cents)} with us. Nothing is due from you.")
    else:
        said.append("Nothing is due from you.")
    if figures.insurance.ending_cents > 0:
        waiting = money(figures.insurance.ending_cents)
        said.append(f"{waiting} was billed to insurance and is not answered yet. It is no part of what you owe now.")
    return said


def _ages(statement: Statement) -> tuple[Block, ...]:
    """The strip of ages: they and the credit are the client's ending balance (M9)."""
    figures = statement.figures
    if not any(figures.open_cents) and not figures.credit_cents:
        return ()
    columns = (*(Column(f"{bucket.label} days", Holds.MONEY, 1) for bucket in BUCKETS),
               Column("Less credit", Holds.MONEY, 1), Column("Your balance", Holds.MONEY, 1))  # fmt: skip
    cells = (*figures.open_cents, -figures.credit_cents)
    row = (*(Cell(money(cents)) for cents in cells), Cell(balance(figures.client.ending_cents)))
    return (Grid("How old the amounts are", columns, (row,)),)
