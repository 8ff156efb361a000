"""Random histories of a small practice: rules that do what people do, with amounts that fit and amounts that do not.

A history is its seed: the same seed makes the same choices (what two connections do to each other apart). A refusal is
an answer like any other; whatever else is raised, a deadlock among it, fails the history.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import F, QuerySet

from daysheet.claims.actions import queue_claims, withdraw_claim
from daysheet.claims.models import Claim
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit, issue_invoices, void_invoice
from daysheet.invoicing.batches import BatchRequest, start_batch
from daysheet.invoicing.models import Batch, Invoice, InvoiceLine
from daysheet.invoicing.selection import ManualLine, Selection
from daysheet.invoicing.undoing import undo_batch
from daysheet.jobs.jobs import run_job
from daysheet.jobs.models import JobRun
from daysheet.kit.errors import Refusal
from daysheet.kit.ids import new_id
from daysheet.ledger.closing import close_day
from daysheet.ledger.models import GIVEN_UP, Account, Entry
from daysheet.payments import corrections, rebilling, redating
from daysheet.payments.actions import accept_payment, apply_credit
from daysheet.payments.models import Payment
from daysheet.practices.actor import Actor
from daysheet.reports.queries.day_sheet import day_sheet
from daysheet.schedule.models import Visit, VisitService
from tests.billing import Clinic

from .at_once import at_once
from .books import INVARIANTS
from .card_rules import CARD_RULES, store_cards
from .insurer_rules import INSURER_RULES

Row = TypeVar("Row")
Rule = Callable[["History"], Any]
_FIRST_DAY = date(2026, 10, 1)
_METHODS = ("cash", "check", "card", "ach", "other")


@dataclass
class History:
    """One practice, the choices still to be made, and what was done so far."""

    clinic: Clinic
    clients: list[UUID]
    random: Random
    actor: Actor
    told: list[str] = field(default_factory=list)

    @property
    def practice_id(self) -> int:
        return self.clinic.cast.alder.id

    def pick(self, rows: QuerySet[Any], **likely: Any) -> Any:
        """One row, mostly a `likely` one; a refusal where there is none: then the step does nothing."""
        if likely and self.random.random() < 0.85:
            rows = rows.filter(**likely)
        found = list(rows.order_by("pk"))
        if not found:
            raise NothingThere("Nothing to work on.")
        return self.random.choice(found)

    def cents(self, most: int) -> int:
        """Often all of it, often a part, sometimes more than there is, rarely nothing."""
        kind = self.random.random()
        if kind < 0.35:
            return most
        if kind < 0.93:
            return self.random.randint(1, max(most, 1))
        return most + self.random.randint(1, 5_000) if kind < 0.98 else 0

    def open_lines(self, client_id: UUID, column: str) -> list[InvoiceLine]:
        """Some lines of a client on which a side is open."""
        lines = list(InvoiceLine.objects.filter(client_id=client_id, **{f"{column}__gt": 0}).order_by("pk"))
        return self.random.sample(lines, min(len(lines), self.random.randint(1, 3)))

    def day(self) -> date:
        """A day up to the actor's today."""
        return self.actor.today - timedelta(days=self.random.choice([0, 0, 0, 1, 5, 20]))

    @property
    def owner_now(self) -> Actor:
        """The owner at the history's moment."""
        return replace(self.clinic.owner, now=self.actor.now)


class NothingThere(Refusal):
    """The rule found nothing to work on."""

    code = "nothing_there"


def open_practice(clinic: Clinic, seed: int) -> History:
    """Three clients: by self, insured with a copay, insured without. Call inside the practice's transaction."""
    clients = [
        clinic.client("Self"),
        clinic.client("Copay", insured=True, copay_cents=2_500),
        clinic.client("Covered", insured=True),
    ]
    history = History(clinic, clients, Random(seed), clinic.biller)
    store_cards(history)
    for client_id in clients * 2:
        bill_visit(history.actor, visit_id=_new_visit(history, client_id)[0])
    return history


def step(history: History) -> None:
    """One thing happens; then every invariant holds."""
    history.actor = replace(history.actor, now=history.actor.now + timedelta(minutes=history.random.randint(1, 90)))
    if history.random.random() < 0.12:
        _two_at_once(history)
    else:
        _carry_out(history, history.random.choices(list(RULES), weights=list(RULES.values()))[0])
    with practice_transaction(history.practice_id):
        wrong = {rule.__name__: found for rule in INVARIANTS if (found := rule(history.actor))}
    assert not wrong, f"{wrong}\nafter:\n" + "\n".join(history.told[-12:])


def _carry_out(history: History, rule: Rule) -> None:
    history.told.append(rule.__name__)
    try:
        with practice_transaction(history.practice_id):
            after = rule(history)
        if callable(after):  # what a worker does once the request has committed
            after()
    except Refusal as refusal:
        history.told[-1] += f": {refusal.code}"


def _two_at_once(history: History) -> None:
    """Two people on two connections; each makes its own choices."""
    rules = history.random.choices(list(RULES), weights=list(RULES.values()), k=2)
    if history.random.random() < 0.5:
        rules[1] = rules[0]
    twin_seed = history.random.random()
    people = []
    for number in range(2):
        # Half of the time both choose alike: the same line, the same payment.
        seed = twin_seed if history.random.random() < 0.7 else twin_seed + number
        people.append(replace(history, random=Random(seed), told=[]))
    at_once(*(partial(_carry_out, person, rule) for person, rule in zip(people, rules, strict=True)))
    history.told.append(" | ".join(line for person in people for line in person.told))


# Billing


def _new_visit(history: History, client_id: UUID) -> tuple[UUID, tuple[UUID, ...]]:
    services = history.random.choice([["talk"], ["talk"], ["letter"], ["talk", "letter"]])
    day = _FIRST_DAY + timedelta(days=history.random.randrange(40))
    return history.clinic.visit(client_id, *(getattr(history.clinic, name) for name in services), day=day)


def bill_from_the_agenda(history: History) -> None:
    visit, _ = _new_visit(history, history.random.choice(history.clients))
    bill_visit(history.actor, visit_id=visit)


def bill_again_what_was_freed(history: History) -> None:
    freed = history.pick(VisitService.objects.filter(line_id=None, is_suspended=False))
    bill_visit(history.actor, visit_id=freed.visit_id)


def bill_from_the_editor(history: History) -> None:
    client_id = history.random.choice(history.clients)
    _, services = _new_visit(history, client_id)
    cents = history.random.choice([0, 1, 999, 4_000])
    manual = (ManualLine(None, "Records", history.day(), history.random.randint(1, 3), cents),)
    issue_invoices(
        history.actor, selection=Selection(services, manual=manual, client_id=client_id), door=Invoice.Door.LEDGER,
        request_key=new_id(),
    )  # fmt: skip


def bill_by_batch(history: History) -> Callable[[], None]:
    items = [BatchRequest(client_id, _new_visit(history, client_id)[1]) for client_id in history.clients[:2]]
    batch_id = start_batch(
        history.actor, batch_id=new_id(), from_on=_FIRST_DAY, to_on=history.actor.today, items=items,
        grouping=history.random.choice(["client", "date"]), expected_count=2, expected_cents=0,
    )  # fmt: skip
    run_id = JobRun.objects.get(subject_id=batch_id).pk
    return lambda: run_job(history.practice_id, run_id)


def undo_a_batch(history: History) -> None:
    undo_batch(history.actor, batch_id=history.pick(Batch.objects.filter(undone_at=None)).pk, reason="Too early")


def edit_a_line(history: History) -> None:
    line = history.pick(InvoiceLine.objects.filter(ended_at=None))
    rate, units = history.random.choice([0, 1, 4_000, 15_000, 17_500]), history.random.randint(1, 2)
    client_cents = history.random.choice([0, min(2_000, rate), rate * units, rate * units])
    rebilling.edit_line(
        history.actor, request_key=new_id(), line_id=line.pk, rate_cents=rate, units=units,
        client_cents=client_cents, note="", reason="As agreed",
    )  # fmt: skip


def void(history: History) -> None:
    live = InvoiceLine.objects.filter(ended_at=None).values("invoice_id")
    void_invoice(history.actor, invoice_id=history.pick(Invoice.objects.all(), pk__in=live).pk, reason="Wrong")


def void_and_rebill(history: History) -> None:
    line = history.pick(InvoiceLine.objects.filter(ended_at=None))
    service = history.random.choice([history.clinic.talk.pk, history.clinic.letter.pk])
    services = {line.visit_service_id: service} if line.visit_service_id and history.random.random() < 0.6 else {}
    rebilling.void_and_rebill(
        history.actor, request_key=new_id(), invoice_id=line.invoice_id, reason="Other service", services=services
    )


# Money


def _applications(history: History, client_id: UUID) -> dict[UUID, int | None] | None:
    kind = history.random.random()
    if kind < 0.3:
        return None
    if kind < 0.45:
        return {}
    lines = history.open_lines(client_id, "client_open_cents")
    return {line.pk: None if history.random.random() < 0.4 else history.cents(line.client_open_cents) for line in lines}


def pay(history: History) -> None:
    client_id = history.random.choice(history.clients)
    amount = history.random.choice([None, 1, 2_500, 5_000, 15_000, 40_000])
    accept_payment(
        history.actor, request_key=new_id(), client_id=client_id, amount_cents=amount,
        method=history.random.choice(_METHODS), received_on=history.day(),
        applications=_applications(history, client_id),
    )  # fmt: skip


def prepay(history: History) -> None:
    """For a date of service that is not billed yet; Add Invoice comes later, or never (M3)."""
    unbilled = VisitService.objects.filter(line_id=None, is_suspended=False).values("visit_id")
    visit = Visit.objects.filter(pk__in=unbilled).order_by("pk").first() if history.random.random() < 0.4 else None
    if visit is None:
        visit = Visit.objects.get(pk=_new_visit(history, history.random.choice(history.clients))[0])
    accept_payment(
        history.actor, request_key=new_id(), client_id=visit.client_id, visit_id=visit.pk, is_prepayment=True,
        amount_cents=history.random.choice([1, 2_500, 4_000, 15_000, 30_000]), method="cash",
        received_on=history.day(), applications={},
    )  # fmt: skip


def apply(history: History) -> None:
    client_id = history.pick(Payment.objects.exclude(client=None), unapplied_cents__gt=0).client_id
    chosen = _applications(history, client_id)
    apply_credit(history.actor, request_key=new_id(), client_id=client_id, applications=chosen)


def unapply(history: History) -> None:
    applied = Entry.objects.filter(debit_account=Account.CREDIT).exclude(line_id=None).values("payment_id")
    payment = history.pick(Payment.objects.all(), pk__in=applied)
    lines = set(Entry.objects.filter(payment_id=payment.pk).exclude(line_id=None).values_list("line_id", flat=True))
    chosen = history.random.sample(sorted(lines), 1) if lines and history.random.random() < 0.4 else None
    corrections.unapply(
        history.actor, request_key=new_id(), payment_id=payment.pk, reason="Other date", line_ids=chosen
    )


def refund(history: History) -> None:
    payment = history.pick(Payment.objects.filter(unapplied_cents__gt=0))
    corrections.refund_payment(
        history.actor, request_key=new_id(), payment_id=payment.pk, amount_cents=history.cents(payment.unapplied_cents),
        refunded_on=history.day(), reason="Moved away",
    )  # fmt: skip


def delete_payment(history: History) -> None:
    payment = history.pick(Payment.objects.all(), unapplied_cents=F("amount_cents"))
    corrections.reverse_payment(history.actor, request_key=new_id(), payment_id=payment.pk, reason="Bounced")


def edit_payment(history: History) -> None:
    payment = history.pick(Payment.objects.all(), unapplied_cents__gt=0)
    redating.edit_payment(
        history.actor, request_key=new_id(), payment_id=payment.pk, method=payment.method, received_on=history.day(),
        number="17", notes="", reason="Misread",
    )  # fmt: skip


def write_off(history: History) -> None:
    side = history.random.choice(["client", "insurance"])
    line = history.pick(InvoiceLine.objects.filter(ended_at=None), **{f"{side}_open_cents__gt": 0})
    corrections.write_off(
        history.actor, request_key=new_id(), line_id=line.pk, side=side,
        amount_cents=history.cents(getattr(line, f"{side}_open_cents")), reason="Hardship",
    )  # fmt: skip


def take_write_off_back(history: History) -> None:
    reversed_ids = Entry.objects.exclude(reverses_id=None).values("reverses_id")
    standing = Entry.objects.exclude(pk__in=reversed_ids).values("pk")
    entry = history.pick(Entry.objects.filter(debit_account__in=GIVEN_UP), pk__in=standing)
    corrections.remove_write_off(
        history.actor, request_key=new_id(), line_id=entry.line_id, entry_id=entry.pk, reason="Paid after all"
    )


def change_responsibility(history: History) -> None:
    to_side, column = history.random.choice([("client", "insurance_open_cents"), ("insurance", "client_open_cents")])
    line = history.pick(InvoiceLine.objects.filter(ended_at=None), **{f"{column}__gt": 0, "coverage__isnull": False})
    corrections.change_responsibility(
        history.actor, request_key=new_id(), line_id=line.pk, to_side=to_side,
        amount_cents=history.cents(getattr(line, column)), reason="Deductible",
    )  # fmt: skip


# Days and claims


def a_day_passes(history: History) -> None:
    history.actor = replace(history.actor, now=history.actor.now + timedelta(days=1))


def close_a_day(history: History) -> None:
    """As its sheet stands, and all before it; what is meant for them later is posted on the first open day (M10)."""
    day = history.actor.today - timedelta(days=history.random.choice([0, 1, 1, 2, 6]))
    totals = day_sheet(history.actor, day).totals
    close_day(
        history.actor, day=day, expected_closing_cents=totals.closing_cents, expected_entry_count=totals.entry_count
    )


def queue_a_claim(history: History) -> None:
    insured = InvoiceLine.objects.filter(ended_at=None, insurance_cents__gt=0).values("invoice_id")
    queue_claims(history.actor, invoice_id=history.pick(Invoice.objects.all(), pk__in=insured).pk)


def take_a_claim_back(history: History) -> None:
    withdraw_claim(history.actor, claim_id=history.pick(Claim.objects.all(), withdrawn_at=None).pk)


#: Every rule and how often it is tried. A new verb that moves money is added here, and nowhere else.
RULES: dict[Rule, int] = {
    bill_from_the_agenda: 8,
    bill_again_what_was_freed: 4,
    bill_from_the_editor: 3,
    bill_by_batch: 2,
    undo_a_batch: 2,
    edit_a_line: 5,
    void: 3,
    void_and_rebill: 4,
    pay: 9,
    prepay: 5,
    apply: 6,
    unapply: 6,
    refund: 5,
    delete_payment: 4,
    edit_payment: 3,
    write_off: 5,
    take_write_off_back: 4,
    change_responsibility: 6,
    a_day_passes: 2,
    close_a_day: 2,
    queue_a_claim: 3,
    take_a_claim_back: 1,
    **INSURER_RULES,
    **CARD_RULES,
}
