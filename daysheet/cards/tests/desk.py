"""A practice with the simulated processor in this process: requests go straight to it, its messages wait in a list."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from daysheet.cards import actions, charging
from daysheet.cards.actions import ChargeRequest
from daysheet.cards.gateways.base import News
from daysheet.cards.gateways.signing import sign
from daysheet.cards.gateways.simulated import SimulatedGateway, webhook_secret_of
from daysheet.cards.models import CardRefundStep, Charge, ChargeStep, ProcessorAccount, StoredCard
from daysheet.cards.refunding import run_refund
from daysheet.cards.rules import ChargeState, state_of
from daysheet.cards.saving import run_setup
from daysheet.cards.simulator.core import Outgoing, Processor
from daysheet.cards.webhooks import take_message
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.models import InvoiceLine
from daysheet.jobs.models import JobRun
from daysheet.jobs.registry import RunningJob
from daysheet.ledger import queries as ledger
from daysheet.payments.models import Payment
from daysheet.practices.actor import Actor
from tests.billing import Clinic
from tests.people import NOW

API_KEY = "sim_tests"


@dataclass
class CardDesk:
    """Everything a test of cards needs; `sent` holds the processor's messages, in the order in which it made them."""

    clinic: Clinic
    account: ProcessorAccount
    processor: Processor
    gateway: SimulatedGateway
    sent: list[Outgoing] = field(default_factory=list)

    @property
    def biller(self) -> Actor:
        return self.clinic.biller

    @property
    def processor_actor(self) -> Actor:
        return charging.processor_actor(self.clinic.cast.alder, NOW)

    def client_owing(self, name: str = "Ruiz") -> UUID:
        """A client who owes 40.00 for one date of service."""
        client = self.clinic.client(name)
        visit, _ = self.clinic.visit(client, self.clinic.letter)
        bill_visit(self.biller, visit_id=visit)
        return client

    def card(self, client: UUID, behaviour: str = "ok") -> UUID:
        """Stored as people do it: the processor's page, its message, our question."""
        setup = uuid4()
        url = actions.start_card_setup(self.biller, setup_id=setup, client_id=client, return_url="http://x/")
        self.processor.choose_card(url.rsplit("/", 1)[1], behaviour)
        actions.look_for_card(self.biller, setup_id=setup)
        run_setup(self.job(setup))
        return StoredCard.objects.get(setup_id=setup).pk

    def start(self, *wanted: tuple[UUID, UUID, int], run_id: UUID | None = None, credit_cents: int = 0) -> UUID:
        """Confirm charges: (client, card, cents)."""
        run_id = run_id or uuid4()
        return actions.start_charges(
            self.biller, run_id=run_id, requests=[ChargeRequest(*each) for each in wanted],
            expected_count=len(wanted), expected_cents=sum(each[2] for each in wanted), told_credit_cents=credit_cents,
        )  # fmt: skip

    def run(self, run_id: UUID) -> None:
        """The worker's part."""
        charging.run_charges(self.job(run_id))

    def job(self, subject: UUID) -> RunningJob:
        run = JobRun.objects.filter(subject_id=subject).latest("created_at")
        return RunningJob(self.clinic.cast.alder, run.pk, subject, lambda: NOW)

    def charge(self, client: UUID, card: UUID, cents: int, credit_cents: int = 0) -> Charge:
        """One charge from confirmation to its end."""
        run_id = self.start((client, card, cents), credit_cents=credit_cents)
        self.run(run_id)
        return Charge.objects.get(run_id=run_id)

    def refund(self, payment_id: UUID, cents: int, refund_id: UUID | None = None) -> UUID:
        """A refund from its request to its end."""
        refund_id = actions.request_refund(
            self.biller, refund_id=refund_id or uuid4(), payment_id=payment_id, amount_cents=cents, reason="Overpaid"
        )
        run_refund(self.job(refund_id))
        return refund_id

    def news(self, outgoing: Outgoing) -> News:
        """A message as the webhook reads it: signed and checked."""
        body = json.dumps(outgoing.message).encode()
        signature = sign(webhook_secret_of(API_KEY), body, int(NOW.timestamp()))
        return self.gateway.read_message(body, signature, NOW)

    def hear(self, *messages: Outgoing) -> list[str]:
        """Deliver messages, all that were sent where none are given."""
        return [take_message(self.processor_actor, self.account, self.news(each)) for each in messages or self.sent]

    def last(self, kind: str) -> Outgoing:
        """The newest message of a kind."""
        return next(each for each in reversed(self.sent) if each.message["kind"] == kind)

    def books_agree(self, client: UUID) -> None:
        """Lines and payments say what the entries say."""
        balances = ledger.client_balances(self.biller, client)
        open_lines = InvoiceLine.objects.filter(client_id=client, ended_at=None)
        assert balances.client_due_cents == sum(open_lines.values_list("client_open_cents", flat=True))
        payments = Payment.objects.filter(client_id=client)
        assert balances.credit_cents == sum(payments.values_list("unapplied_cents", flat=True)) >= 0


def state(charge: Charge) -> ChargeState:
    return state_of(ChargeStep.objects.filter(charge=charge).values_list("state", flat=True))


def reason(charge: Charge, of: str) -> str:
    return ChargeStep.objects.get(charge=charge, state=of).reason


def due(client: UUID) -> int:
    return sum(InvoiceLine.objects.filter(client_id=client, ended_at=None).values_list("client_open_cents", flat=True))


def payment_of(charge: Charge) -> Payment:
    return Payment.objects.get(charge_id=charge.pk)


def refund_steps(refund_id: UUID) -> set[str]:
    return set(CardRefundStep.objects.filter(refund_id=refund_id).values_list("state", flat=True))
