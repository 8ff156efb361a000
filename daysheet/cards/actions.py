"""The verbs of cards: connect a processor, store and remove cards, charge many at once, retry, refund.

Nothing here speaks with a processor but the set-up page: what moves money is written down and committed first, and a
job carries it out (`charging.py`, `refunding.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Sum

from daysheet.audit.actions import record
from daysheet.clients.queries import get_client
from daysheet.invoicing.models import InvoiceLine
from daysheet.jobs.actions import start_job
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.kit.money import LARGEST_CENTS, Money
from daysheet.ledger.actions import Movement, post
from daysheet.ledger.models import Account
from daysheet.ledger.requests import claim_request
from daysheet.payments.corrections import AmountNotPositive, MoreThanThere, PaymentReversed, ReasonMissing
from daysheet.payments.models import Payment, PaymentReversal
from daysheet.payments.receiving import lock_visible_clients
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from . import charging, refunding, saving
from .gateways.base import GatewayError
from .models import (
    CardRefund,
    CardRefundStep,
    CardSetup,
    Charge,
    ChargeRun,
    ChargeStep,
    ProcessorAccount,
    StoredCard,
)
from .opening import open_gateway
from .rules import ChargeState, RefundState, is_open, state_of
from .sealing import seal


class NoProcessor(Refusal):
    """The practice is not connected with a card processor."""

    code = "no_processor"


class ProcessorSilent(Refusal):
    """The processor could not be reached, or refused."""

    code = "processor_silent"


class NothingToCharge(Refusal):
    """No client was ticked, or nothing declined is left to retry."""

    code = "nothing_to_charge"


class ChargePending(Refusal):
    """An earlier charge of the client is not decided yet: charging again could take the money twice."""

    code = "charge_pending"


class CardGone(Refusal):
    """The card was removed, or belongs to an account that is no longer used."""

    code = "card_gone"


class CreditNotConfirmed(Refusal):
    """More is charged than is due, and the person has not been told how much becomes credit (M2)."""

    code = "credit_not_confirmed"


class NotACharge(Refusal):
    """The payment did not come through the card processor."""

    code = "not_a_charge"


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """A client to charge: which card, how much, in cents."""

    client_id: UUID
    card_id: UUID
    amount_cents: int


@action(Permission.ADMINISTRATOR)
def connect_processor(actor: Actor, *, account_id: UUID, kind: str, api_key: str, webhook_secret: str = "") -> None:
    """Use this account from now on. The one before is ended: its cards are not charged any more."""
    if ProcessorAccount.objects.filter(pk=account_id).exists():
        record(actor, "connect_processor", "processor_account", account_id, kind=kind, again=True)
        return
    ProcessorAccount.objects.filter(ended_at=None).update(ended_at=actor.now)
    ProcessorAccount.objects.create(
        pk=account_id, kind=ProcessorAccount.Kind(kind), api_key_sealed=seal(api_key),
        webhook_secret_sealed=seal(webhook_secret) if webhook_secret else "", connected_at=actor.now,
        connected_by_name=actor.person_name[:120],
    )  # fmt: skip
    record(actor, "connect_processor", "processor_account", account_id, kind=kind)


@action(Permission.BILLING)
def start_card_setup(actor: Actor, *, setup_id: UUID, client_id: UUID, return_url: str) -> str:
    """The address of the processor's page on which the client's card is typed. Raises NotFound, NoProcessor,
    ProcessorSilent."""
    get_client(actor, client_id)
    account = live_account()
    try:
        page = open_gateway(actor.practice, account).open_setup(setup_id, return_url)
    except GatewayError as error:
        raise ProcessorSilent(f"{error} Nothing was changed; try again.") from error
    if not CardSetup.objects.filter(pk=setup_id).exists():
        CardSetup.objects.create(
            pk=setup_id, client_id=client_id, account=account, reference=page.reference, started_at=actor.now,
            started_by_name=actor.person_name[:120],
        )  # fmt: skip
    record(actor, "start_card_setup", "card_setup", setup_id, client_id=client_id)
    return page.url


@action(Permission.BILLING, audited=False)
def look_for_card(actor: Actor, *, setup_id: UUID) -> None:
    """Ask the processor, in a job, whether the card has been typed by now. Raises NotFound."""
    setup = CardSetup.objects.filter(pk=setup_id).first()
    if setup is None:
        raise NotFound("There is no such page for a card.")
    get_client(actor, setup.client_id)
    saving.ask(actor, setup)


@action(Permission.BILLING)
def remove_card(actor: Actor, *, card_id: UUID) -> None:
    """The card is not charged any more. What was charged stays. Raises NotFound."""
    card = StoredCard.objects.filter(pk=card_id, removed_at=None).first()
    if card is None:
        raise NotFound("There is no such card, or it was removed before.")
    get_client(actor, card.client_id)
    StoredCard.objects.filter(pk=card_id).update(removed_at=actor.now, removed_by_name=actor.person_name[:120])
    record(actor, "remove_card", "card", card_id, client_id=card.client_id, card=card.label)


@action(Permission.BILLING, audited=False)
def start_charges(
    actor: Actor,
    *,
    run_id: UUID,
    requests: Sequence[ChargeRequest],
    expected_count: int,
    expected_cents: int,
    told_credit_cents: int = 0,
    retry_of_id: UUID | None = None,
) -> UUID:
    """Queue charges. The same `run_id` again (a second click, tab or resend) is the same run: one click, one charge.

    `told_credit_cents`: what of all amounts the person was told becomes credit. Raises NothingToCharge, NotFound,
    NoProcessor, CardGone, ChargePending, CreditNotConfirmed, AmountNotPositive.
    """
    if ChargeRun.objects.filter(pk=run_id).exists():
        return run_id
    if not requests:
        raise NothingToCharge("Nobody is ticked. Tick at least one client.")
    account = live_account()
    client_ids = [each.client_id for each in requests]
    lock_visible_clients(actor, client_ids)
    if ChargeRun.objects.filter(pk=run_id).exists():
        return run_id
    _check_amounts(requests, expected_count, expected_cents)
    _check_cards(requests, account)
    _refuse_pending(client_ids)
    due = due_by_client(client_ids)
    credit = {each.client_id: max(each.amount_cents - due.get(each.client_id, 0), 0) for each in requests}
    if sum(credit.values()) != told_credit_cents:
        raise CreditNotConfirmed(
            f"{Money(sum(credit.values()))} of this is more than is due and would become credit. Nothing was charged: "
            "look at the amounts again."
        )
    _write(actor, run_id, requests, credit, retry_of_id)
    return run_id


@action(Permission.BILLING, audited=False)
def retry_declined(actor: Actor, *, run_id: UUID, new_run_id: UUID) -> UUID:
    """A new run of only what was declined or not sent, at most what is due now. Raises NotFound, NothingToCharge."""
    run = ChargeRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such run of charges.")
    if ChargeRun.objects.filter(pk=new_run_id).exists():
        return new_run_id
    again = [
        charge
        for charge, state in states_of(Charge.objects.filter(run=run).select_related("card"))
        if state in {ChargeState.DECLINED, ChargeState.CANCELED} and charge.card.removed_at is None
    ]
    due = due_by_client([charge.client_id for charge in again])
    requests = [
        ChargeRequest(each.client_id, each.card_id, min(each.amount_cents, due[each.client_id]))
        for each in again
        if due.get(each.client_id)
    ]
    if not requests:
        raise NothingToCharge("Nothing that was declined is still due.")
    return start_charges(
        actor, run_id=new_run_id, requests=requests, expected_count=len(requests),
        expected_cents=sum(each.amount_cents for each in requests), retry_of_id=run.pk,
    )  # fmt: skip


@action(Permission.BILLING, audited=False)
def request_refund(actor: Actor, *, refund_id: UUID, payment_id: UUID, amount_cents: int, reason: str) -> UUID:
    """Give back to the card what is not applied of its payment. It leaves the credit at once, so that nobody else can
    use it, and comes back if the processor refuses (M6). The same `refund_id` is one refund.

    Raises NotFound, RequestKeyReused, NotACharge, ReasonMissing, PaymentReversed, AmountNotPositive, MoreThanThere.
    """
    payment = Payment.objects.filter(pk=payment_id).first()
    if payment is None or payment.client_id is None:
        raise NotFound("There is no such payment in this practice.")
    lock_visible_clients(actor, [payment.client_id])
    content = {"payment": payment_id, "cents": amount_cents, "reason": reason.strip()}
    if not claim_request(actor, refund_id, "request_card_refund", content):
        return refund_id
    payment = Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
    charge_id = _refundable(payment, amount_cents, reason)
    refund = CardRefund.objects.create(
        pk=refund_id, charge_id=charge_id, amount_cents=amount_cents, requested_at=actor.now,
        requested_by_name=actor.person_name[:120], reason=reason.strip()[:400],
    )  # fmt: skip
    CardRefundStep.objects.create(refund=refund, state=RefundState.REQUESTED, at=actor.now)
    movement = Movement(
        Account.CREDIT, Account.CASH, amount_cents, payment.client_id, actor.today, payment_id=payment.pk,
        reason=refund.reason,
    )  # fmt: skip
    post(actor, [movement], event_id=refund.pk)
    start_job(actor, kind=refunding.JOB_KIND, subject_id=refund.pk, unit="refunds", total_count=1)
    record(
        actor, "request_card_refund", "card_refund", refund.pk, client_id=payment.client_id, cents=amount_cents,
        reason=refund.reason,
    )  # fmt: skip
    return refund_id


def live_account() -> ProcessorAccount:
    """The account in use. Raises NoProcessor."""
    account = ProcessorAccount.objects.filter(ended_at=None).first()
    if account is None:
        raise NoProcessor("No card processor is connected. An administrator connects one under Organization.")
    return account


def due_by_client(client_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What each client owes on their own side, in cents."""
    lines = InvoiceLine.objects.filter(client_id__in=client_ids, client_open_cents__gt=0)
    sums = lines.values("client_id").annotate(due=Sum("client_open_cents"))
    return {row["client_id"]: row["due"] for row in sums}


def states_of(charges: Iterable[Charge]) -> list[tuple[Charge, ChargeState]]:
    """Charges with the state that counts. One query beside theirs."""
    found = list(charges)
    reached: dict[UUID, list[str]] = {charge.pk: [] for charge in found}
    for charge_id, state in ChargeStep.objects.filter(charge_id__in=reached).values_list("charge_id", "state"):
        reached[charge_id].append(state)
    return [(charge, state_of(reached[charge.pk])) for charge in found]


def pending_clients(client_ids: Sequence[UUID]) -> set[UUID]:
    """The clients with a charge that is not decided yet."""
    return {charge.client_id for charge in undecided_charges(client_ids)}


def undecided_charges(client_ids: Sequence[UUID]) -> list[Charge]:
    """The charges of clients that are not decided yet, oldest first."""
    final = ChargeStep.objects.filter(state__in=["canceled", "declined", "charged"]).values("charge_id")
    charges = Charge.objects.filter(client_id__in=client_ids).exclude(pk__in=final).order_by("pk")
    return [charge for charge, state in states_of(charges) if is_open(state)]


def _check_amounts(requests: Sequence[ChargeRequest], expected_count: int, expected_cents: int) -> None:
    if any(not 0 < each.amount_cents <= LARGEST_CENTS for each in requests):
        raise AmountNotPositive("Every amount is above zero. Nothing was charged.")
    total = sum(each.amount_cents for each in requests)
    if (len(requests), total) != (expected_count, expected_cents):
        raise NothingToCharge("The amounts are not those that were confirmed. Nothing was charged: look at them again.")


def _check_cards(requests: Sequence[ChargeRequest], account: ProcessorAccount) -> None:
    cards = StoredCard.objects.filter(pk__in=[each.card_id for each in requests], account=account, removed_at=None)
    owners: Mapping[UUID, UUID] = dict(cards.values_list("pk", "client_id"))
    if any(owners.get(each.card_id) != each.client_id for each in requests):
        raise CardGone("A card was removed meanwhile. Nothing was charged: search again.")


def _refuse_pending(client_ids: Sequence[UUID]) -> None:
    pending = len(pending_clients(client_ids))
    if pending:
        raise ChargePending(
            f"{pending} of these clients {'has' if pending == 1 else 'have'} a charge whose outcome is not known yet. "
            "Nothing was charged: wait until it is, so that nobody pays twice."
        )


def _write(
    actor: Actor,
    run_id: UUID,
    requests: Sequence[ChargeRequest],
    credit: Mapping[UUID, int],
    retry_of_id: UUID | None,
) -> None:
    total = sum(each.amount_cents for each in requests)
    run = ChargeRun(
        pk=run_id, created_at=actor.now, created_by_name=actor.person_name[:120],
        created_by_staff_member_id=actor.staff_member_id, expected_count=len(requests), expected_cents=total,
        retry_of_id=retry_of_id,
    )  # fmt: skip
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError:
        return  # its twin, with other clients, was first: one click, one run
    charges = Charge.objects.bulk_create(
        Charge(
            pk=new_id(), run=run, client_id=each.client_id, card_id=each.card_id, amount_cents=each.amount_cents,
            told_credit_cents=credit[each.client_id],
        )
        for each in requests
    )  # fmt: skip
    ChargeStep.objects.bulk_create(
        ChargeStep(charge=charge, state=ChargeState.REQUESTED, at=actor.now) for charge in charges
    )
    start_job(actor, kind=charging.JOB_KIND, subject_id=run_id, unit="cards", total_count=len(charges))
    record(actor, "start_charges", "charge_run", run_id, cards=len(charges), expected_cents=total)


def _refundable(payment: Payment, amount_cents: int, reason: str) -> UUID:
    """The charge behind a payment of which this much can go back."""
    if payment.charge_id is None:
        raise NotACharge("This payment did not come through the card processor. Refund it where it was taken.")
    if not reason.strip():
        raise ReasonMissing("Say why: the reason stays with the refund. Nothing was changed.")
    if PaymentReversal.objects.filter(payment=payment).exists():
        raise PaymentReversed("This payment was deleted before. Nothing was changed.")
    if amount_cents <= 0:
        raise AmountNotPositive("Enter an amount above zero. Nothing was changed.")
    if amount_cents > payment.unapplied_cents:
        raise MoreThanThere(
            f"Only {Money(payment.unapplied_cents)} of the payment is not applied. Nothing was changed; unapply first."
        )
    return payment.charge_id
