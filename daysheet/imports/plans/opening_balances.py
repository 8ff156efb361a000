"""Opening balances. What a client owes goes through the door like any other invoice (B1); credit is a payment.

The request key of both is made from the practice and the row's ID, so that the same row can never be taken twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from daysheet.invoicing.actions import issue_invoices
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.invoicing.selection import ManualLine, Selection
from daysheet.kit.money import Money
from daysheet.payments.actions import NewPayment, accept_payments
from daysheet.payments.models import Payment
from daysheet.practices.actor import Actor

from ..cells import Reference
from ..parsing import ParsedFile, Row
from .plan import Plan, RowVerdict, Verdict, judge
from .sets import resolve

_NAMESPACE = UUID("6f1f0d1c-1f0e-5a8e-9d3f-0b6a0a4d7c11")
_NOTE = "Opening balance"
_OTHER = Payment.Method.OTHER.value


@dataclass(frozen=True, slots=True)
class _Standing:
    """What a balance was taken in as: the facts that a row of the file is compared with."""

    client_id: UUID
    amount_cents: int
    day: date


def request_key_of(practice_id: int, external_id: str) -> UUID:
    """The request key of a balance's invoice or payment."""
    return uuid5(_NAMESPACE, f"{practice_id}:{external_id}")


def plan_opening_balances(actor: Actor, parsed: ParsedFile, *, lock: bool) -> Plan:
    """New balances, and those taken in before; a balance is never changed by a file."""
    client_column = next(column for column in parsed.layout.columns if isinstance(column.kind, Reference))
    clients = resolve("clients", (row.values["client"] for row in parsed.rows if row.values["client"]))
    keys = {row.values["id"]: request_key_of(actor.practice.id, row.values["id"]) for row in parsed.rows}
    standing = _standing(keys.values())
    seen: dict[str, int] = {}
    verdicts: list[RowVerdict] = []
    for row in parsed.rows:
        earlier = seen.setdefault(row.values["id"], row.number)
        if earlier != row.number and row.values["id"]:
            row.object_to(parsed.layout.column("id"), f"“{row.values['id']}” stands in row {earlier} too")
        if row.values["client"] and row.values["client"] not in clients:
            row.object_to(client_column, Reference("clients").missing(row.values["client"]))
        before = standing.get(keys[row.values["id"]])
        verdicts.append(_verdict(parsed, row, before, clients.get(row.values["client"] or ""), actor.today))
    new = [row for row, verdict in zip(parsed.rows, verdicts, strict=True) if verdict.verdict is Verdict.NEW]
    return Plan(tuple(verdicts), partial(_write, actor, new, clients, keys))


def _verdict(parsed: ParsedFile, row: Row, before: _Standing | None, client_id: UUID | None, today: date) -> RowVerdict:
    values = row.values
    if before and not row.problems:
        for name, then, now in (
            ("client", before.client_id, client_id),
            ("amount", before.amount_cents, values["amount"]),
            ("date", before.day, values["date"]),
        ):
            if then != now:
                row.object_to(
                    parsed.layout.column(name),
                    f"this balance was imported with another {name}; correct it on the client’s ledger, "
                    "or give the new one an ID of its own",
                )
    if values["date"] and values["date"] > today:
        row.object_to(parsed.layout.column("date"), "an opening balance is not of a day to come")
    if not values["amount"] and not row.problems:
        return RowVerdict(row.number, values["id"], Verdict.UNCHANGED, remark="0.00: there is nothing to take over")
    return judge(row, values["id"], is_new=before is None, changes=[], remark=_words(values["amount"]))


def _words(cents: int | None) -> str:
    if not cents:
        return ""
    return f"invoice of {Money(cents)}" if cents > 0 else f"credit of {Money(-cents)}"


def _standing(keys: Any) -> dict[UUID, _Standing]:
    """What was taken in under these keys: invoices (voided ones too) and payments."""
    wanted = list(keys)
    invoices = Invoice.objects.filter(request_key__in=wanted).values_list("pk", "request_key", "client_id", "issued_on")
    # The first line ever written tells what came in; later ones are edits made on the ledger.
    lines = InvoiceLine.objects.filter(invoice__request_key__in=wanted).order_by("-pk")
    amounts = dict(lines.values_list("invoice_id", "amount_cents"))
    found = {key: _Standing(client, amounts[pk], issued_on) for pk, key, client, issued_on in invoices if key}
    payments = Payment.objects.filter(request_key__in=wanted)
    for key, client, cents, day in payments.values_list("request_key", "client_id", "amount_cents", "received_on"):
        found[key] = _Standing(client, -cents, day)
    return found


def _write(actor: Actor, rows: Sequence[Row], clients: dict[str, UUID], keys: dict[str, UUID]) -> None:
    """Invoices one by one, each with its own date and key; all credits at once, put on no line (M3)."""
    credits: list[NewPayment] = []
    for row in rows:
        values = row.values
        client_id, key = clients[values["client"]], keys[values["id"]]
        note = values.get("note") or _NOTE
        if values["amount"] < 0:
            credits.append(NewPayment(key, client_id, -values["amount"], _OTHER, values["date"], {}, notes=note))
            continue
        line = ManualLine(None, note, values["date"], 1, values["amount"])
        issue_invoices(
            actor,
            selection=Selection((), manual=(line,), client_id=client_id),
            door=Invoice.Door.IMPORT,
            request_key=key,
            issued_on=values["date"],
        )
    if credits:
        accept_payments(actor, credits)
