"""Two people at the same money at once, fifty times each, on real connections: one winner, a clear message for the
other, never a deadlock, and books that hold."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import void_invoice
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.errors import Refusal
from daysheet.payments import corrections, rebilling
from daysheet.payments.actions import apply_credit
from daysheet.payments.insurance import LinePosting, accept_insurance_payment, apply_insurance_credit
from daysheet.payments.models import Payment
from daysheet.payments.tests.desk import TODAY, pay
from daysheet.practices.actor import Actor
from tests.billing import Clinic

from .at_once import at_once
from .books import INVARIANTS
from .money_forms import Books, open_books

REPEATS = 50
#: Of the pairs that nobody asked for; as many in the slow run.
OTHER_REPEATS = 50 if "HISTORY_STEPS" in os.environ else 10
pytestmark = [pytest.mark.system, pytest.mark.race]
Verb = Callable[[Actor, Books], Any]


def apply_the_credit(actor: Actor, books: Books) -> None:
    """All $60.00 of it, onto a line that would take more."""
    apply_credit(actor, request_key=uuid4(), client_id=books.client, applications={books.line: 6_000})


def refund_all(actor: Actor, books: Books) -> None:
    corrections.refund_payment(
        actor, request_key=uuid4(), payment_id=books.payment, amount_cents=6_000, refunded_on=TODAY, reason="Moved"
    )


def delete(actor: Actor, books: Books) -> None:
    """To void a payment is to delete it by reversal (M6)."""
    corrections.reverse_payment(actor, request_key=uuid4(), payment_id=books.payment, reason="Bounced")


def pay_the_line(actor: Actor, books: Books) -> None:
    pay(actor, books.client, 7_000, applications={books.line: 7_000})


def write_all_off(actor: Actor, books: Books) -> None:
    corrections.write_off(
        actor, request_key=uuid4(), line_id=books.line, side="client", amount_cents=7_000, reason="Hardship"
    )


def unapply(actor: Actor, books: Books) -> None:
    corrections.unapply(actor, request_key=uuid4(), payment_id=books.payment, reason="Other date")


def move_all_to_insurance(actor: Actor, books: Books) -> None:
    corrections.change_responsibility(
        actor, request_key=uuid4(), line_id=books.line, to_side="insurance", amount_cents=7_000, reason="Covered"
    )


def move_all_to_the_client(actor: Actor, books: Books) -> None:
    corrections.change_responsibility(
        actor, request_key=uuid4(), line_id=books.line, to_side="client", amount_cents=8_000, reason="Deductible"
    )


def insurer_pays_all(actor: Actor, books: Books) -> None:
    accept_insurance_payment(
        actor, request_key=uuid4(), payer_id=books.payer, amount_cents=None, method="eft", received_on=TODAY,
        postings={books.line: LinePosting(8_000)},
    )  # fmt: skip


def open_insurers_credit(actor: Actor, books: Books) -> None:
    """A cheque of $60.00 of the same insurer that is on no line yet."""
    accept_insurance_payment(
        actor, request_key=uuid4(), payer_id=books.payer, amount_cents=6_000, method="eft", received_on=TODAY,
        postings={}, expected_credit_cents=6_000,
    )  # fmt: skip


def apply_insurers_credit(actor: Actor, books: Books) -> None:
    """All $60.00 of it, onto a line that would take more."""
    payment = Payment.objects.get(payer_id=books.payer)
    apply_insurance_credit(
        actor, request_key=uuid4(), payment_id=payment.pk, postings={books.line: LinePosting(6_000)}
    )  # fmt: skip


def refund_insurers_credit(actor: Actor, books: Books) -> None:
    payment = Payment.objects.get(payer_id=books.payer)
    corrections.refund_payment(
        actor, request_key=uuid4(), payment_id=payment.pk, amount_cents=6_000, refunded_on=TODAY, reason="Take-back"
    )


def void(actor: Actor, books: Books) -> None:
    invoice_id = InvoiceLine.objects.values_list("invoice_id", flat=True).get(pk=books.line)
    void_invoice(actor, invoice_id=invoice_id, reason="Wrong")


def edit(actor: Actor, books: Books) -> None:
    rebilling.edit_line(
        actor, request_key=uuid4(), line_id=books.line, rate_cents=14_000, units=1, client_cents=6_000, note="",
        reason="Agreed",
    )  # fmt: skip


def _tried(clinic: Clinic, verb: Verb, books: Books) -> str:
    """ "" where it was done, else what the person is told."""
    try:
        with practice_transaction(clinic.cast.alder.id):
            verb(clinic.biller, books)
    except Refusal as refusal:
        return f"{refusal.code}: {refusal.message}"
    return ""


def _race(clinic: Clinic, first: Verb, second: Verb, *, repeats: int, prepare: Verb | None = None) -> list[str]:
    """Both verbs many times at once, each pair on books of its own; returns what the losers were told."""
    told = []
    for _ in range(repeats):
        with practice_transaction(clinic.cast.alder.id):
            books = open_books(clinic, f"Race {uuid4().hex[:8]}")
            if prepare:
                prepare(clinic.biller, books)
        answers = at_once(partial(_tried, clinic, first, books), partial(_tried, clinic, second, books))
        told.append(answers)
    losers = [answer for pair in told for answer in pair if answer]
    assert all(pair.count("") == 1 for pair in told), told
    with practice_transaction(clinic.cast.alder.id):
        assert {rule.__name__: found for rule in INVARIANTS if (found := rule(clinic.biller))} == {}
    return losers


def _check(losers: list[str], codes: set[str]) -> None:
    assert {told.split(":")[0] for told in losers} <= codes
    assert all("Nothing was" in told or "Unapply it first" in told for told in losers), losers


@pytest.mark.parametrize(
    ("first", "second", "codes"),
    [
        (apply_the_credit, apply_the_credit, {"no_credit"}),
        (refund_all, delete, {"more_than_there", "payment_reversed", "still_applied"}),
        (pay_the_line, pay_the_line, {"line_not_open"}),
        (pay_the_line, write_all_off, {"line_not_open", "more_than_there"}),
    ],
)
def test_one_wins_and_the_other_is_told(clinic: Clinic, first: Verb, second: Verb, codes: set[str]) -> None:
    _check(_race(clinic, first, second, repeats=REPEATS), codes)


@pytest.mark.parametrize(
    ("first", "second", "prepare", "codes"),
    [
        (refund_all, refund_all, None, {"more_than_there"}),
        (delete, delete, None, {"payment_reversed"}),
        (apply_the_credit, refund_all, None, {"no_credit", "more_than_there"}),
        (apply_the_credit, delete, None, {"no_credit", "still_applied"}),
        (write_all_off, write_all_off, None, {"more_than_there"}),
        (pay_the_line, move_all_to_insurance, None, {"line_not_open", "more_than_there"}),
        (insurer_pays_all, insurer_pays_all, None, {"applied_more_than_due"}),
        (insurer_pays_all, move_all_to_the_client, None, {"applied_more_than_due", "more_than_there"}),
        (insurer_pays_all, void, None, {"line_not_open", "invoice_has_insurance_money"}),
        (apply_insurers_credit, apply_insurers_credit, open_insurers_credit, {"no_credit"}),
        (
            apply_insurers_credit,
            refund_insurers_credit,
            open_insurers_credit,
            {"no_credit", "more_than_there", "payment_moved"},
        ),
        (refund_insurers_credit, refund_insurers_credit, open_insurers_credit, {"more_than_there"}),
        (unapply, unapply, apply_the_credit, {"nothing_applied"}),
        (edit, edit, None, {"no_longer_there"}),
        (void, void, None, {"invoice_already_void"}),
    ],
)
def test_other_pairs_have_one_winner_too(
    clinic: Clinic, first: Verb, second: Verb, prepare: Verb | None, codes: set[str]
) -> None:
    _check(_race(clinic, first, second, prepare=prepare, repeats=OTHER_REPEATS), codes)


def test_unapply_against_a_refund_leaves_the_payment_whole(clinic: Clinic) -> None:
    """A refund before the unapplying finds no credit; one after it finds all. Either way nothing goes out twice."""
    for _ in range(REPEATS):
        with practice_transaction(clinic.cast.alder.id):
            books = open_books(clinic, f"Race {uuid4().hex[:8]}")
            apply_the_credit(clinic.biller, books)
        unapplied, refunded = at_once(
            partial(_tried, clinic, unapply, books), partial(_tried, clinic, refund_all, books)
        )
        assert unapplied == ""
        assert refunded == "" or refunded.startswith("more_than_there: Only $0.00")
        with practice_transaction(clinic.cast.alder.id):
            assert Payment.objects.get(pk=books.payment).unapplied_cents == (6_000 if refunded else 0)
    with practice_transaction(clinic.cast.alder.id):
        assert {rule.__name__: found for rule in INVARIANTS if (found := rule(clinic.biller))} == {}


@pytest.mark.parametrize(
    ("verb", "codes"),
    [(pay_the_line, {"line_not_open"}), (write_all_off, {"no_longer_there"}), (edit, {"no_longer_there"})],
)
def test_a_void_takes_back_what_came_before_it_and_refuses_what_comes_after(
    clinic: Clinic, verb: Verb, codes: set[str]
) -> None:
    for _ in range(OTHER_REPEATS):
        with practice_transaction(clinic.cast.alder.id):
            books = open_books(clinic, f"Race {uuid4().hex[:8]}")
        voided, other = at_once(partial(_tried, clinic, void, books), partial(_tried, clinic, verb, books))
        assert voided == ""
        assert other.split(":")[0] in {"", *codes}
    with practice_transaction(clinic.cast.alder.id):
        assert not InvoiceLine.objects.filter(ended_at=None).exists()
        assert {rule.__name__: found for rule in INVARIANTS if (found := rule(clinic.biller))} == {}
