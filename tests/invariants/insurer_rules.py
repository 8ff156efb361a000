"""What insurers do to a practice's money, for the random histories: cheques over lines, and their credit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daysheet.clients.models import Coverage
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.ids import new_id
from daysheet.payments.insurance import LinePosting, accept_insurance_payment, apply_insurance_credit
from daysheet.payments.models import Payment

if TYPE_CHECKING:
    from .histories import History


def insurers_payment(history: History) -> None:
    client_id = history.random.choice(history.clients[1:])
    postings = {}
    for line in history.open_lines(client_id, "insurance_open_cents"):
        paid = history.cents(line.insurance_open_cents)
        rest = max(line.insurance_open_cents - paid, 0)
        adjusted = history.random.randint(0, rest)
        postings[line.pk] = LinePosting(paid, adjusted, history.random.randint(0, rest - adjusted))
    surplus = history.random.choice([0, 0, 0, 700])
    accept_insurance_payment(
        history.actor, request_key=new_id(), payer_id=Coverage.objects.get(client_id=client_id).payer_id,
        amount_cents=sum(each.paid_cents for each in postings.values()) + surplus, method="eft",
        received_on=history.day(), postings=postings, expected_credit_cents=surplus,
    )  # fmt: skip


def insurers_credit(history: History) -> None:
    """What is left of a cheque, or came off a line of it, on lines of the same insurer."""
    payment = history.pick(Payment.objects.exclude(payer=None), unapplied_cents__gt=0)
    lines = InvoiceLine.objects.filter(coverage__payer_id=payment.payer_id, insurance_open_cents__gt=0, ended_at=None)
    postings = {}
    for line in lines.order_by("pk")[:3]:
        is_ticked = history.random.random() < 0.5
        postings[line.pk] = LinePosting(None if is_ticked else history.cents(line.insurance_open_cents))
    apply_insurance_credit(history.actor, request_key=new_id(), payment_id=payment.pk, postings=postings)


#: As histories.RULES.
INSURER_RULES = {insurers_payment: 7, insurers_credit: 3}
