"""A refund to a card does what its page showed, or shows it anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client as Browser
from django.urls import reverse

from daysheet.cards.models import CardRefund
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.models import InvoiceLine
from daysheet.jobs.models import JobRun
from daysheet.payments.actions import apply_credit
from daysheet.payments.models import Payment
from daysheet.payments.tests.desk import pay
from tests.architecture.world import browser_of
from tests.pages import filled, words_of

from .desk import CardDesk, payment_of


@pytest.fixture
def bob(desk: CardDesk) -> Browser:
    return browser_of(desk.clinic.cast.bob)


@pytest.fixture
def payment(desk: CardDesk) -> Payment:
    """A charge of $60.00 of which $20.00 are credit."""
    ana = desk.client_owing()
    return payment_of(desk.charge(ana, desk.card(ana), 6_000, credit_cents=2_000))


def url_of(payment: Payment) -> str:
    return reverse("cards:refund", kwargs={"practice": "alder", "payment": payment.pk})


def shown(bob: Browser, payment: Payment, amount: str = "15") -> Any:
    """The page with the effect."""
    url = url_of(payment)
    return bob.post(url, filled(bob.get(url).text, amount=amount, reason="Overpaid"))


def client_of(payment: Payment) -> UUID:
    assert payment.client_id
    return payment.client_id


def another_refund(desk: CardDesk, payment: Payment) -> None:
    desk.refund(payment.pk, 500)


def is_applied(desk: CardDesk, payment: Payment) -> None:
    visit, _ = desk.clinic.visit(client_of(payment), desk.clinic.letter)
    invoice = bill_visit(desk.biller, visit_id=visit).created[0]
    line = InvoiceLine.objects.get(invoice_id=invoice.id)
    apply_credit(desk.biller, request_key=uuid4(), client_id=client_of(payment), applications={line.pk: 300})


def pays_more(desk: CardDesk, payment: Payment) -> None:
    pay(desk.biller, client_of(payment), 700)


#: What happens meanwhile, and the figures that the page then shows.
MEANWHILE: dict[Callable[[CardDesk, Payment], None], str] = {
    another_refund: "Client Credit $15.00 $0.00",
    is_applied: "Client Balance Due $37.00 $37.00 Insurance Balance Due $0.00 $0.00 Client Credit $17.00 $2.00",
    pays_more: "Client Credit $27.00 $12.00",
}


def test_the_effect_is_shown_first_and_nothing_is_asked_for_by_showing_it(
    desk: CardDesk, bob: Browser, payment: Payment
) -> None:
    jobs = JobRun.objects.count()
    page = shown(bob, payment)
    assert page.status_code == 200
    assert "Amount $15.00 Reason Overpaid What this does" in words_of(page)
    assert "Client Credit $20.00 $5.00" in words_of(page)
    assert (CardRefund.objects.count(), JobRun.objects.count()) == (0, jobs)
    done = [bob.post(url_of(payment), filled(page.text, confirmed="1"), follow=True) for _ in range(2)]
    assert all("The refund is on its way to the card." in words_of(each) for each in done)
    assert (CardRefund.objects.get().amount_cents, JobRun.objects.count()) == (1_500, jobs + 1)


@pytest.mark.parametrize("happens", MEANWHILE, ids=lambda happens: happens.__name__)
def test_what_moved_meanwhile_is_shown_and_no_refund_is_asked_for(
    desk: CardDesk, bob: Browser, payment: Payment, happens: Callable[[CardDesk, Payment], None]
) -> None:
    sent = filled(shown(bob, payment).text, confirmed="1")
    happens(desk, payment)
    before = CardRefund.objects.count()
    told = bob.post(url_of(payment), sent)
    assert told.status_code == 422
    assert "Nothing was changed yet. The figures have moved since they were shown" in words_of(told)
    assert MEANWHILE[happens] in words_of(told)
    assert CardRefund.objects.count() == before
    assert [bob.post(url_of(payment), filled(told.text, confirmed="1")).status_code for _ in range(2)] == [303, 303]
    assert CardRefund.objects.count() == before + 1


def test_a_chargeback_meanwhile_leaves_nothing_to_give_back(desk: CardDesk, bob: Browser, payment: Payment) -> None:
    sent = filled(shown(bob, payment).text, confirmed="1")
    desk.processor.dispute(desk.processor.charges()[-1]["id"])
    desk.hear(desk.last("dispute_opened"))
    told = bob.post(url_of(payment), sent)
    assert told.status_code == 422 and "Nothing was changed" in words_of(told)
    assert not CardRefund.objects.exists()


def test_other_clients_money_is_nothing_to_ask_about(desk: CardDesk, bob: Browser, payment: Payment) -> None:
    sent = filled(shown(bob, payment).text, confirmed="1")
    pay(desk.biller, desk.client_owing("Other"), 5_000)
    assert bob.post(url_of(payment), sent).status_code == 303
