"""Batch Payments, Charge Cards, with a real worker and the simulated processor beside it; and a prepayment (M3)."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect

from daysheet.cards.simulator.server import SimulatorServer

from .conftest import Enter
from .server import Server
from .visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@contextmanager
def simulator(server: Server, slow_seconds: float) -> Iterator[SimulatorServer]:
    """It listens where the server was told, and sends its messages there."""
    port = urlsplit(server.environment["DAYSHEET_CARD_SIMULATOR"]).port
    assert port
    running = SimulatorServer(port, deliver_to=server.url, slow_seconds=slow_seconds)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield running
    finally:
        running.shutdown()
        running.server_close()


@pytest.fixture
def processor(server: Server) -> Iterator[SimulatorServer]:
    with simulator(server, slow_seconds=1) as running:
        yield running


@pytest.fixture
def stuck_processor(server: Server) -> Iterator[SimulatorServer]:
    """One that works on a slow card until the end of the world."""
    with simulator(server, slow_seconds=10**6) as running:
        yield running


def open_card_page(person: Visitor, server: Server, name: str, behaviour: str) -> None:
    """The processor's page is not ours: its form is sent without the browser, which may only visit Daysheet."""
    person.open(f"{server.client(name)}/cards/")
    person.button("Add Card").click()
    page = person.link("Open the processor’s page").get_attribute("href")
    assert page
    with suppress(OSError):
        urlopen(Request(page, data=f"card={behaviour}".encode()))


def wait_for_card(person: Visitor, server: Server, name: str) -> None:
    """Told by webhook, asked for by the worker."""
    person.open(f"{server.client(name)}/cards/")
    person.reload_until(lambda page: page.get_by_role("row", name=re.compile("ending in")).count())


def test_many_cards_are_charged_once_each_and_only_the_declined_again(
    enter: Enter, server: Server, processor: SimulatorServer
) -> None:
    connect(enter("alice")).look("card-processor")
    bob = enter("bob")
    open_card_page(bob, server, "carla", "lost")
    open_card_page(bob, server, "dena", "declined")
    bob.look("stored-cards")
    wait_for_card(bob, server, "carla")
    wait_for_card(bob, server, "dena")

    bob.open("/alder/billing/batch-payments/cards/")
    bob.look("charge-cards")
    bob.page.get_by_label("Amount to charge Card, Dena").fill("25")
    bob.sees(re.compile(r"2 selected, \$65\.00"))
    bob.button("Charge Selected Cards").click()
    dialogue = bob.page.get_by_role("dialog", name="Charge 2 cards?")
    expect(dialogue).to_contain_text("2 cards are charged $65.00 in all.")
    bob.look("charge-cards-dialogue")
    bob.button("Yes, I'm sure", dialogue).click()
    expect(bob.button("Retry declined")).to_be_visible()
    bob.look("charge-run")
    expect(bob.row("Card, Carla")).to_contain_text("Charged")
    expect(bob.row("Card, Dena")).to_contain_text("Insufficient funds.")
    bob.button("Retry declined").click()
    expect(bob.row("Card, Dena")).to_contain_text("Insufficient funds.")
    expect(bob.row("Card, Carla")).to_have_count(0)
    assert processor.processor.taken_cents() == 4_000
    bob.open(f"{server.client('carla')}/ledger/?tab=payments")
    expect(bob.row("Credit/Debit Card")).to_contain_text("Amex ending in 0005")


def test_a_charge_that_stays_unknown_is_asked_for_and_then_decided(
    enter: Enter, server: Server, stuck_processor: SimulatorServer
) -> None:
    alice = connect(enter("alice"))
    open_card_page(alice, server, "sten", "slow")
    wait_for_card(alice, server, "sten")
    alice.link("Charge Card").click()
    alice.button("Charge Selected Cards").click()
    alice.button("Yes, I'm sure", alice.page.get_by_role("dialog", name=re.compile("^Charge 1 card"))).click()
    alice.link("Unknown", alice.row("Card, Sten")).click()
    alice.sees("The processor has not said what became of this charge.")
    alice.look("charge-unknown")
    alice.button("Ask the processor again").click()
    alice.reload_until(lambda page: page.get_by_text("The processor is still working on it.").count() > 1)
    alice.look("charge-asked")
    bob = enter("bob")
    bob.open(f"{server.client('sten')}/ledger/")
    bob.link("Show the charge").click()
    bob.sees("an administrator who has the permission Billing can then say here what became of it")
    expect(bob.link("Mark as charged")).to_have_count(0)
    alice.link("Mark as charged").click()
    alice.sees_heading("Mark as charged: Sten Card")
    alice.page.get_by_label("Reason").fill("Seen at the processor's desk")
    alice.look("mark-as-charged")
    alice.button("Show the effect").click()
    alice.look("mark-as-charged-effect")
    alice.button("Yes, mark as charged").click()
    alice.sees("Mark as charged: done.")
    alice.look("charge-decided")
    alice.link("Payment").click()
    alice.sees("marked this card charge as charged")
    expect(alice.row("Payment applied")).to_contain_text("$40.00")
    alice.look("payment-of-a-decided-charge")


def test_a_refund_of_which_the_processor_says_nothing_is_decided_by_hand(
    enter: Enter, server: Server, processor: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = connect(enter("alice"))
    open_card_page(alice, server, "clio", "ok")
    wait_for_card(alice, server, "clio")
    alice.link("Charge Card").click()
    alice.page.get_by_label("Amount to charge Card, Clio").fill("50")
    alice.button("Charge Selected Cards").click()
    alice.button("Yes, I'm sure", alice.page.get_by_role("dialog", name=re.compile("^Charge 1 card"))).click()
    expect(alice.row("Card, Clio")).to_contain_text("Charged")

    def silent(*_: object, **__: object) -> None:
        raise ConnectionError("the answer is lost")

    monkeypatch.setattr(processor.processor, "_refund", silent)
    alice.open(f"{server.client('clio')}/ledger/?tab=payments")
    alice.row("Credit/Debit Card").get_by_role("link").first.click()
    alice.link(re.compile("^Refund")).first.click()
    alice.page.get_by_label("Reason").fill("Overpaid")
    alice.button("Show the effect").click()
    alice.look("refund-to-the-card")
    alice.button("Yes, refund to the card").click()
    alice.sees("The refund is on its way to the card.")
    alice.reload_until(lambda page: page.get_by_text("the processor has not answered yet").count() > 0)
    alice.link("Show the refund").click()
    alice.sees("The processor has not said what became of this refund.")
    expect(alice.link("Mark as not refunded")).to_have_count(0)  # it may still be sent again
    alice.look("refund-unknown")
    alice.link("Mark as refunded").click()
    alice.page.get_by_label("The processor's reference").fill("sr_1")
    alice.page.get_by_label("Reason").fill("Seen at the processor's desk")
    alice.button("Show the effect").click()
    alice.look("mark-as-refunded-effect")
    alice.button("Yes, mark as refunded").click()
    alice.sees("Mark as refunded: done.")
    alice.look("refund-decided")


def connect(owner: Visitor) -> Visitor:
    """The practice with the simulated processor."""
    owner.open("/alder/organization/card-processor/")
    owner.page.get_by_label("Secret key").fill("sim_journeys")
    owner.button("Connect").click()
    owner.sees("The card processor is connected.")
    return owner


def test_money_taken_before_the_visit_is_billed_applies_itself(enter: Enter) -> None:
    bob = enter("bob")
    bob.open("/alder/agenda/")
    row = bob.row("Prepaid, Petra")
    bob.link("Accept Payment", row).click()
    bob.sees("A prepayment for the date of service")
    expect(bob.page.get_by_label(re.compile("^Amount optional"))).to_have_value("40.00")
    bob.look("prepayment")
    bob.page.get_by_label(re.compile("^Amount optional")).fill("50")
    bob.sees("It is for the appointment, and applies itself when that is billed.")
    bob.button("Save").click()
    bob.sees(re.compile(r"\$50\.00 kept as credit"))
    bob.button("Add Invoice", bob.row("Prepaid, Petra")).click()
    bob.link(re.compile(r"^Invoice \d+$"), bob.row("Prepaid, Petra")).click()
    bob.sees_heading(re.compile(r"^Invoice \d+ Paid$"))
