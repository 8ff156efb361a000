"""The door: the only code that makes invoices, whichever screen, batch or import asked (B1).

Order of locks, always: clients by id, visit services by id, prepayments, the number counter last. A visit service is
claimed by a conditional UPDATE before its line is written; the partial unique index `line_one_live` stands behind it
(B7). A prepayment named for a date of service is on its lines from their first moment (M3).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection
from django.db.models import Q

from daysheet.audit.actions import Happening, record_many
from daysheet.database.copying import copy_rows
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.ledger.actions import Movement, post
from daysheet.ledger.models import Account
from daysheet.practices.actor import Actor
from daysheet.schedule.models import Visit

from .candidates import Candidates, clients_behind, read_candidates, read_candidates_of_visits
from .models import Batch, Invoice, InvoiceLine
from .reading import read_clients, read_terms, skipped_of
from .registry import LineToPay, MoneyHeld, Prepaid, money_held
from .rules import decide_each, decide_lines, decide_manual_line
from .selection import CreatedInvoice, Issued, Refused, Selection
from .terms import Candidate, ClientTerms, DecidedLine, Decision, PracticeTerms, Terms


class BilledMeanwhile(Refusal):
    """Another transaction claimed a visit service although its row was locked: cannot happen, and must not pass."""

    code = "billed_meanwhile"


@dataclass(frozen=True, slots=True)
class Origin:
    """How invoices came about: which door, which batch, which form; `issued_on` only differs for imports.

    `with_prepayments` False: whoever asks puts the money on the lines in a way of its own (void and rebill).
    """

    door: Invoice.Door
    batch_id: UUID | None = None
    request_key: UUID | None = None
    note: str = ""
    issued_on: date | None = None
    with_prepayments: bool = True


@dataclass(frozen=True, slots=True)
class _Draft:
    """An invoice to be, with the ids its rows will have."""

    id: UUID
    client: ClientTerms
    lines: tuple[tuple[UUID, DecidedLine], ...]

    def created(self, number: int, prepaid: Mapping[UUID, int], credit_cents: int) -> CreatedInvoice:
        """The answer about it. `prepaid`: cents by line, where there are any."""
        client_cents = sum(line.client_cents for _, line in self.lines)
        insurance_cents = sum(line.insurance_cents for _, line in self.lines)
        prepaid_cents = sum(prepaid.get(line_id, 0) for line_id, _ in self.lines) if prepaid else 0
        return CreatedInvoice(
            self.id, number, self.client.id, client_cents + insurance_cents, client_cents, insurance_cents,
            len(self.lines), prepaid_cents, credit_cents,
        )  # fmt: skip


def issue(actor: Actor, selection: Selection, *, origin: Origin, grouping: str) -> Issued:
    """Bill the selection. Runs in the caller's transaction. Raises NotFound for clients the actor may not see."""
    clients = read_clients(actor, _wanted_clients(actor, selection), lock=True)
    found = read_candidates(actor, selection.visit_service_ids, lock=True)
    _refuse_hidden(selection, found, clients)
    return _issue(actor, selection, found, clients, origin, grouping)


def issue_visits(actor: Actor, visit_ids: Sequence[UUID], *, origin: Origin) -> Issued:
    """Bill every service of these visits that is to be billed; those billed already come back as skipped. Nothing
    found is an empty answer. Raises NotFound for clients the actor may not see."""
    members = Visit.objects.filter(pk__in=visit_ids)
    clients = read_clients(actor, Q(pk__in=members.values("client_id")), lock=True)
    found = read_candidates_of_visits(actor, visit_ids, lock=True)
    _refuse_hidden(None, found, clients)
    return _issue(actor, Selection(()), found, clients, origin, Batch.Grouping.CLIENT)


def _issue(
    actor: Actor,
    selection: Selection,
    found: Candidates,
    clients: dict[UUID, ClientTerms],
    origin: Origin,
    grouping: str,
) -> Issued:
    if not clients or not (found.unbilled or selection.manual):
        return Issued(skipped=skipped_of(found.billed))
    terms = read_terms(actor, selection, found, clients)
    drafts, refused = _draft(found.unbilled, selection, terms, grouping)
    created = _write(actor, terms.practice, drafts, origin) if drafts else ()
    return Issued(created, skipped_of(found.billed), tuple(refused))


def preview(actor: Actor, selection: Selection) -> list[Decision]:
    """The door's own decision without writing: a preview can never promise something else than is billed."""
    return preview_on_terms(actor, selection)[0]


def preview_on_terms(actor: Actor, selection: Selection) -> tuple[list[Decision], Terms | None]:
    """The same, with the terms it was decided on; None where nobody was found."""
    clients = read_clients(actor, _wanted_clients(actor, selection), lock=False)
    found = read_candidates(actor, selection.visit_service_ids, lock=False)
    _refuse_hidden(selection, found, clients)
    if not clients:
        return [], None
    terms = read_terms(actor, selection, found, clients)
    groups = _by_client(found.unbilled).values()
    return [each for group in groups for each in decide_each(group, terms, selection.edits)], terms


def _wanted_clients(actor: Actor, selection: Selection) -> Q:
    client_ids = set(selection.client_ids)
    if selection.visit_service_ids and not client_ids:
        client_ids = clients_behind(actor, selection.visit_service_ids)
    return Q(pk__in=client_ids | {selection.client_id} if selection.client_id else client_ids)


def _refuse_hidden(selection: Selection | None, found: Candidates, clients: dict[UUID, ClientTerms]) -> None:
    """A date of service or client of another practice, or one this actor is not assigned to, does not exist (P2)."""
    needed = {candidate.client_id for candidate in (*found.unbilled, *found.billed)}
    if selection is not None:
        needed |= {selection.client_id} if selection.client_id else set()
        if not needed:
            raise NotFound("There is no such date of service in this practice.")
    if not needed <= clients.keys():
        raise NotFound("There is no such client, or you are not assigned to the client.")


def _by_client(candidates: Iterable[Candidate]) -> dict[UUID, list[Candidate]]:
    groups: dict[UUID, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        groups[candidate.client_id].append(candidate)
    return groups


def _draft(
    candidates: Sequence[Candidate], selection: Selection, terms: Terms, grouping: str
) -> tuple[list[_Draft], list[Refused]]:
    """Invoices to be. One refused line stops its whole invoice: a client is never billed in part unawares (L5)."""
    drafts: list[_Draft] = []
    refused: list[Refused] = []
    by_client = _by_client(candidates)
    if selection.client_id:
        by_client.setdefault(selection.client_id, [])
    for client_id in sorted(by_client):
        lines, why_not = decide_lines(by_client[client_id], terms, selection.edits)
        if client_id == selection.client_id:
            for manual in selection.manual:
                decided = decide_manual_line(manual, terms, terms.clients[client_id])
                (why_not if isinstance(decided, Refused) else lines).append(decided)  # type: ignore[arg-type]
        refused += why_not
        by_date = grouping == Batch.Grouping.DATE_OF_SERVICE
        stopped = {refusal.service_on if by_date else None for refusal in why_not}
        groups: dict[date | None, list[DecidedLine]] = defaultdict(list)
        for line in lines:
            groups[line.service_on if by_date else None].append(line)
        for day, group in groups.items():
            if day in stopped:
                refused += _held_back(client_id, group)
            else:
                drafts.append(_Draft(new_id(), terms.clients[client_id], tuple((new_id(), line) for line in group)))
    return drafts, refused


def _held_back(client_id: UUID, lines: Iterable[DecidedLine]) -> Iterable[Refused]:
    """The dates that would have stood on an invoice another date of which was refused."""
    services: dict[date, list[UUID]] = defaultdict(list)
    for line in lines:
        if line.visit_service_id:
            services[line.service_on].append(line.visit_service_id)
    for service_on, ids in services.items():
        yield Refused(
            tuple(ids), client_id, service_on, "held_back",
            "Not billed, because something else on the same invoice was refused. Mend that and retry.",
        )  # fmt: skip


def _write(
    actor: Actor, practice: PracticeTerms, drafts: Sequence[_Draft], origin: Origin
) -> tuple[CreatedInvoice, ...]:
    _claim(actor.practice.id, drafts)
    issued_on = origin.issued_on or actor.today
    held = money_held(actor, [line for draft in drafts for line in _to_pay(draft)]) if origin.with_prepayments else None
    held = held or MoneyHeld()
    prepaid = _by_line(held.prepaid)
    first = take_numbers(actor.practice.id, len(drafts))
    numbered = list(enumerate(drafts, start=first))
    copy_rows(
        Invoice, _INVOICE_COLUMNS,
        (_invoice_row(actor, practice, number, draft, origin, issued_on) for number, draft in numbered),
    )  # fmt: skip
    copy_rows(InvoiceLine, _LINE_COLUMNS, (row for draft in drafts for row in _line_rows(draft, prepaid)))
    movements = [charge for draft in drafts for charge in _charges(draft, issued_on)]
    movements += [_application(part, issued_on) for part in held.prepaid]
    post(actor, movements, event_id=new_id(), opens_lines=True, payments_locked=True)
    created = tuple(
        draft.created(number, prepaid, held.credit_cents.get(draft.client.id, 0)) for number, draft in numbered
    )
    record_many(actor, [_happening(invoice, origin) for invoice in created] + _prepaid_happenings(created))
    return created


def _to_pay(draft: _Draft) -> Iterable[LineToPay]:
    for position, (line_id, line) in enumerate(draft.lines, start=1):
        yield LineToPay(line_id, draft.client.id, line.visit_id, line.service_on, position, line.client_cents)


def _by_line(prepaid: Iterable[Prepaid]) -> dict[UUID, int]:
    """Cents that are on each line from its first moment."""
    cents: dict[UUID, int] = defaultdict(int)
    for part in prepaid:
        cents[part.line_id] += part.cents
    return dict(cents)


def _claim(practice_id: int, drafts: Sequence[_Draft]) -> None:
    pairs = [
        (line.visit_service_id, line_id)
        for draft in drafts
        for line_id, line in draft.lines
        if line.visit_service_id is not None
    ]
    if not pairs:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE schedule_visitservice s SET line_id = d.line_id "
            "FROM unnest(%s::uuid[], %s::uuid[]) AS d(id, line_id) "
            "WHERE s.practice_id = %s AND s.id = d.id AND s.line_id IS NULL",
            [[pair[0] for pair in pairs], [pair[1] for pair in pairs], practice_id],
        )
        if cursor.rowcount != len(pairs):
            raise BilledMeanwhile("A date of service was billed meanwhile. Nothing was saved; reload and try again.")


def take_numbers(practice_id: int, count: int) -> int:
    """The first of `count` consecutive numbers. The counter row stays locked until commit: no gaps, no repeats (B8)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO invoicing_invoicecounter AS c (practice_id, id, next_number) VALUES (%s, %s, %s) "
            "ON CONFLICT (practice_id) DO UPDATE SET next_number = c.next_number + %s RETURNING next_number",
            [practice_id, new_id(), 1 + count, count],
        )
        row = cursor.fetchone()
    assert row is not None
    return int(row[0]) - count


_INVOICE_COLUMNS = (
    "id", "number", "client_id", "issued_on", "created_at", "created_by_name", "door", "batch_id", "request_key",
    "note", "client_name", "client_address", "practice_name", "practice_address", "practice_phone", "practice_tax_id",
)  # fmt: skip


def _invoice_row(
    actor: Actor, practice: PracticeTerms, number: int, draft: _Draft, origin: Origin, issued_on: date
) -> tuple[object, ...]:
    return (
        draft.id, number, draft.client.id, issued_on, actor.now, actor.person_name[:120], str(origin.door),
        origin.batch_id, origin.request_key, origin.note, draft.client.document_name, draft.client.address,
        practice.legal_name, practice.address, practice.phone, practice.tax_id,
    )  # fmt: skip


_LINE_COLUMNS = (
    "id", "invoice_id", "client_id", "position", "visit_service_id", "service_on", "service_type_id", "code", "name",
    "is_cpt", "modifiers", "place_of_service", "rate_cents", "units", "amount_cents", "client_cents",
    "insurance_cents", "client_open_cents", "insurance_open_cents", "price_source", "coverage_id", "copay_cents",
    "rendering_staff_member_id", "rendering_name", "rendering_npi", "billing_name", "billing_npi", "diagnosis_codes",
    "note",
)  # fmt: skip


def _line_rows(draft: _Draft, prepaid: Mapping[UUID, int]) -> Iterable[tuple[object, ...]]:
    for position, (line_id, line) in enumerate(draft.lines, start=1):
        client_open_cents = line.client_cents - (prepaid.get(line_id, 0) if prepaid else 0)
        yield (
            line_id, draft.id, draft.client.id, position, line.visit_service_id, line.service_on,
            line.service_type_id, line.code, line.name, line.is_cpt, list(line.modifiers), line.place_of_service,
            line.rate_cents, line.units, line.amount_cents, line.client_cents, line.insurance_cents,
            client_open_cents, line.insurance_cents, line.price_source, line.coverage_id,
            line.copay_cents, line.rendering_staff_member_id, line.rendering_name, line.rendering_npi,
            line.billing_name, line.billing_npi, list(line.diagnosis_codes), line.note,
        )  # fmt: skip


def _charges(draft: _Draft, issued_on: date) -> Iterable[Movement]:
    """The entries of "line billed": each side's part against charges; a part of zero makes no entry."""
    for line_id, line in draft.lines:
        for account, cents in (
            (Account.CLIENT_RECEIVABLE, line.client_cents),
            (Account.INSURANCE_RECEIVABLE, line.insurance_cents),
        ):
            if cents:
                yield Movement(
                    debit=account, credit=Account.REVENUE, amount_cents=cents, client_id=draft.client.id,
                    effective_on=issued_on, line_id=line_id, coverage_id=line.coverage_id,
                )  # fmt: skip


def _application(part: Prepaid, issued_on: date) -> Movement:
    """A prepayment on the line it was named for: on the day of the invoice, or of the money where that came later."""
    return Movement(
        Account.CREDIT, Account.CLIENT_RECEIVABLE, part.cents, part.client_id, max(part.received_on, issued_on),
        line_id=part.line_id, payment_id=part.payment_id,
    )  # fmt: skip


def _prepaid_happenings(created: Iterable[CreatedInvoice]) -> list[Happening]:
    return [
        Happening(
            "apply_prepayment", "invoice", invoice.id, invoice.client_id,
            {"number": invoice.number, "applied_cents": invoice.prepaid_cents},
        )
        for invoice in created
        if invoice.prepaid_cents
    ]  # fmt: skip


def _happening(invoice: CreatedInvoice, origin: Origin) -> Happening:
    details = {"number": invoice.number, "total_cents": invoice.total_cents, "door": str(origin.door)}
    if origin.batch_id:
        details["batch_id"] = str(origin.batch_id)
    return Happening("issue_invoice", "invoice", invoice.id, invoice.client_id, details)
