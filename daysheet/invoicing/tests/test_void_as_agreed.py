"""A void does what its page showed, or shows it anew: other tabs that pay, edit, bill and void meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client as Browser

from daysheet.invoicing.actions import bill_visit, void_invoice
from daysheet.invoicing.models import Invoice, InvoiceLine, InvoiceVoid
from daysheet.ledger.models import Entry
from daysheet.payments.corrections import unapply, write_off
from daysheet.payments.insurance import LinePosting, accept_insurance_payment
from daysheet.payments.rebilling import edit_line
from daysheet.payments.tests.desk import TODAY, pay
from tests.billing import Clinic
from tests.invariants.books import INVARIANTS
from tests.pages import filled, words_of

from .conftest import at


@dataclass(frozen=True)
class Desk:
    """An invoice of $150.00, $25.00 of it for the client."""

    shop: Clinic
    bob: Browser
    client: UUID
    invoice: Invoice

    @property
    def url(self) -> str:
        return at("void_invoice", number=self.invoice.number)

    @property
    def line(self) -> InvoiceLine:
        return InvoiceLine.objects.get(invoice=self.invoice, ended_at=None)

    def asked(self, **typed: Any) -> dict[str, Any]:
        """What Yes would send of the page as it is now."""
        return filled(self.bob.get(self.url).text, confirmed="1", **({"reason": "Wrong client"} | typed))


@pytest.fixture
def desk(shop: Clinic, bob: Browser) -> Iterator[Desk]:
    client = shop.client(insured=True, copay_cents=2_500)
    visit, _ = shop.visit(client, shop.talk)
    invoice = bill_visit(shop.biller, visit_id=visit).created[0]
    yield Desk(shop, bob, client, Invoice.objects.get(pk=invoice.id))
    assert {rule.__name__: wrong for rule in INVARIANTS if (wrong := rule(shop.biller))} == {}


def pays(desk: Desk) -> None:
    pay(desk.shop.biller, desk.client, 1_000)


def writes_off(desk: Desk) -> None:
    write_off(
        desk.shop.biller, request_key=uuid4(), line_id=desk.line.pk, side="client", amount_cents=500, reason="Kind"
    )


def edits(desk: Desk) -> None:
    edit_line(
        desk.shop.biller, request_key=uuid4(), line_id=desk.line.pk, rate_cents=10_000, units=1, client_cents=2_500,
        note="", reason="Half an hour",
    )  # fmt: skip


def bills_another_date(desk: Desk) -> None:
    bill_visit(desk.shop.biller, visit_id=desk.shop.visit(desk.client, desk.shop.letter)[0])


#: What another tab does, and the figures that the page then shows.
MEANWHILE: dict[Callable[[Desk], None], str] = {
    pays: "Client Balance Due $15.00 $0.00 Insurance Balance Due $125.00 $0.00 Client Credit $0.00 $10.00",
    writes_off: "Client Balance Due $20.00 $0.00 Insurance Balance Due $125.00 $0.00",
    edits: "Client Balance Due $25.00 $0.00 Insurance Balance Due $75.00 $0.00",
    bills_another_date: "Client Balance Due $65.00 $40.00 Insurance Balance Due $125.00 $0.00",
}


def test_what_the_page_showed_is_done_once_however_often_it_is_sent(desk: Desk) -> None:
    sent = desk.asked()
    answers = [desk.bob.post(desk.url, sent, follow=True) for _ in range(3)]
    assert [answer.redirect_chain for answer in answers] == [[(at("invoice", number=1), 303)]] * 3
    assert all("is void. What it billed is unbilled again." in words_of(answer) for answer in answers)
    assert InvoiceVoid.objects.count() == 1
    other = desk.bob.post(desk.url, sent | {"reason": "Something else"})
    assert (other.status_code, "saved before with other content" in words_of(other)) == (409, True)


@pytest.mark.parametrize("happens", MEANWHILE, ids=lambda happens: happens.__name__)
def test_what_another_tab_moved_meanwhile_is_shown_and_nothing_is_done(
    desk: Desk, happens: Callable[[Desk], None]
) -> None:
    sent = desk.asked()
    happens(desk)
    before = Entry.objects.count()
    told = desk.bob.post(desk.url, sent)
    assert told.status_code == 422
    assert "Nothing was changed yet. The figures have moved since they were shown" in words_of(told)
    assert MEANWHILE[happens] in words_of(told)
    assert (Entry.objects.count(), InvoiceVoid.objects.count()) == (before, 0)
    again = filled(told.text, confirmed="1")
    assert again["reason"] == "Wrong client", "what was typed is still there"
    assert [desk.bob.post(desk.url, again).status_code for _ in range(2)] == [303, 303]
    assert InvoiceVoid.objects.count() == 1


def test_other_clients_money_is_nothing_to_ask_about(desk: Desk) -> None:
    sent = desk.asked()
    other = desk.shop.client("Other", insured=True)
    bill_visit(desk.shop.biller, visit_id=desk.shop.visit(other, desk.shop.talk)[0])
    pay(desk.shop.biller, other, 4_000)
    assert desk.bob.post(desk.url, sent).status_code == 303


def test_what_was_there_and_is_as_it_was_again_is_nothing_to_ask_about(desk: Desk) -> None:
    sent = desk.asked()
    bills_another_date(desk)
    void_invoice(desk.shop.biller, invoice_id=Invoice.objects.latest("number").pk, reason="Twice")
    assert desk.bob.post(desk.url, sent).status_code == 303


def test_an_invoice_that_another_tab_voided_or_an_insurer_paid_is_refused_in_words(desk: Desk) -> None:
    sent, coverage = desk.asked(), desk.line.coverage
    assert coverage
    paid = accept_insurance_payment(
        desk.shop.biller, request_key=uuid4(), payer_id=coverage.payer_id, amount_cents=100, method="eft",
        received_on=TODAY, postings={desk.line.pk: LinePosting(paid_cents=100)},
    )  # fmt: skip
    told = desk.bob.post(desk.url, sent)
    assert (told.status_code, "has insurance money on it. Nothing was changed" in words_of(told)) == (422, True)
    asked = words_of(desk.bob.get(desk.url))
    assert "This is not possible as things stand. Invoice 1 has insurance money on it." in asked
    assert "Yes, void" not in asked
    assert paid.payment_id
    unapply(desk.shop.biller, request_key=uuid4(), payment_id=paid.payment_id, reason="Another client's")
    void_invoice(desk.shop.biller, invoice_id=desk.invoice.pk, reason="In another tab")
    told = desk.bob.post(desk.url, sent)
    assert (told.status_code, "voided already. Nothing was changed." in words_of(told)) == (422, True)
    assert InvoiceVoid.objects.get().reason == "In another tab"


def test_without_a_reason_the_figures_are_those_of_now_and_said_to_have_moved(desk: Desk) -> None:
    sent = desk.asked(reason="")
    told = desk.bob.post(desk.url, sent)
    assert told.status_code == 422 and "have moved" not in words_of(told)
    pays(desk)
    told = desk.bob.post(desk.url, sent)
    assert told.status_code == 422 and "The figures have moved" in words_of(told)
    assert MEANWHILE[pays] in words_of(told)
    assert desk.bob.post(desk.url, filled(told.text, confirmed="1", reason="Wrong")).status_code == 303


def test_nobody_says_yes_to_what_was_not_shown(desk: Desk) -> None:
    sent = desk.asked()
    for agreed in ("", "x"):
        told = desk.bob.post(desk.url, sent | {"agreed": agreed})
        assert (told.status_code, "What this does" in told.text) == (422, True)
    del sent["agreed"]
    assert desk.bob.post(desk.url, sent).status_code == 422
    del sent["confirmed"]
    asked = desk.bob.post(desk.url, sent)
    assert (asked.status_code, "have moved" in asked.text) == (200, False)
    assert not InvoiceVoid.objects.exists()
