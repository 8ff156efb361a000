"""A void and a payment at once on real connections: the void does what its page showed, or nothing."""

from __future__ import annotations

from functools import partial

import pytest
from django.test import Client as Browser

from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.models import InvoiceLine, InvoiceVoid
from daysheet.ledger.models import Entry
from daysheet.ledger.queries import client_balances
from daysheet.payments.tests.desk import pay
from tests.architecture.world import browser_of
from tests.between import just_before
from tests.billing import Clinic
from tests.invariants.at_once import at_once
from tests.pages import filled, words_of

from .conftest import at

REPEATS = 10


@pytest.fixture
def bob(live_clinic: Clinic) -> Browser:
    return browser_of(live_clinic.cast.bob)


def _billed(clinic: Clinic) -> InvoiceLine:
    with practice_transaction(clinic.cast.alder.id):
        client = clinic.client()
        created = bill_visit(clinic.biller, visit_id=clinic.visit(client, clinic.talk)[0]).created[0]
        return InvoiceLine.objects.select_related("invoice").get(invoice_id=created.id)


def _asked(bob: Browser, line: InvoiceLine) -> tuple[str, dict[str, str]]:
    url = at("void_invoice", number=line.invoice.number)
    return url, filled(bob.get(url).text, reason="Wrong client", confirmed="1")


def _yes(browser: Browser, form: dict[str, str], url: str) -> int:
    return int(browser.post(url, form).status_code)


def _pays(clinic: Clinic, line: InvoiceLine) -> int:
    with practice_transaction(clinic.cast.alder.id):
        pay(clinic.biller, line.client_id, 2_000)
    return 0


def test_what_is_paid_in_the_moment_of_yes_is_seen(live_clinic: Clinic, bob: Browser) -> None:
    """The payment commits after Yes was sent, before the void has its lock."""
    line = _billed(live_clinic)
    url, sent = _asked(bob, line)
    with just_before("FOR NO KEY UPDATE", lambda: at_once(partial(_pays, live_clinic, line))):
        told = bob.post(url, sent)
    assert told.status_code == 422
    assert "Client Balance Due $130.00 $0.00" in words_of(told) and "Client Credit $0.00 $20.00" in words_of(told)
    with practice_transaction(live_clinic.cast.alder.id):
        assert not InvoiceVoid.objects.exists()


@pytest.mark.system
@pytest.mark.race
def test_a_payment_and_a_void_at_once_are_one_after_the_other(live_clinic: Clinic, bob: Browser) -> None:
    for _ in range(REPEATS):
        line = _billed(live_clinic)
        url, sent = _asked(bob, line)
        status, _ = at_once(partial(_yes, bob, sent, url), partial(_pays, live_clinic, line))
        with practice_transaction(live_clinic.cast.alder.id):
            balances = client_balances(live_clinic.biller, line.client_id)
            is_void = InvoiceVoid.objects.filter(invoice=line.invoice).exists()
            # Voided before the payment came, and not with the payment on it.
            assert Entry.objects.filter(line_id=line.pk).count() == 2
        due, credit = (0, 2_000) if is_void else (13_000, 0)
        assert (status, balances.client_due_cents, balances.credit_cents) == (303 if is_void else 422, due, credit)


@pytest.mark.system
@pytest.mark.race
def test_two_clicks_at_once_are_one_void_and_two_tabs_have_one_winner(live_clinic: Clinic, bob: Browser) -> None:
    tabs = [bob, browser_of(live_clinic.cast.bob), browser_of(live_clinic.cast.bob)]
    for _ in range(REPEATS):
        line = _billed(live_clinic)
        url, sent = _asked(bob, line)
        _, other = _asked(bob, line)
        clicks = at_once(*(partial(_yes, *each, url) for each in zip(tabs, (sent, sent, other), strict=True)))
        assert sorted(clicks) in ([303, 303, 422], [303, 422, 422])
        with practice_transaction(live_clinic.cast.alder.id):
            assert InvoiceVoid.objects.filter(invoice=line.invoice).count() == 1
