"""The third door: Billing, Batch Invoicing (B4 to B6): search, tick, edit, confirm, watch, mend, retry, undo."""

from __future__ import annotations

import re
from contextlib import ExitStack
from datetime import date, timedelta

import pytest
from playwright.sync_api import Locator, Response, expect

from .conftest import Enter
from .practice import BATCH, NO_SCRIPT_BATCH, RETRY, TWICE, UNDO
from .server import Server
from .visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
#: A slash in a pattern would end it in the browser.
DATE = re.compile(r", \d\d.\d\d.\d{4}$")
CREATE, YES = "Create Selected Invoices", "Yes, I'm sure"


def test_the_range_is_the_current_month_until_another_is_asked_for(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    bob.open("/alder/agenda/")
    bob.link("Billing", bob.page.get_by_role("navigation", name="Main")).click()
    bob.link("Batch Invoicing", bob.page.get_by_role("navigation", name="Billing")).click()
    bob.sees_heading("Batch Invoicing")
    for tab in ("Create New Invoices", "Process Existing Invoices", "History"):
        expect(bob.link(tab)).to_be_visible()
    today = server.day()
    first = today.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    expect(bob.page.get_by_label("From")).to_have_value(first.isoformat())
    expect(bob.page.get_by_label("To", exact=True)).to_have_value(last.isoformat())
    bob.sees("Search first")
    bob.glance("batch-before")
    search(bob, server.day(-401), server.day(-400))
    bob.sees("The range ends before it begins.")
    bob.page.get_by_label("To", exact=True).fill(server.day(-401).isoformat())
    bob.button("Search").click()
    bob.sees("Nothing unbilled was found")
    bob.glance("batch-nothing")


def test_a_batch_from_search_to_result(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    open_batch(bob)
    search(bob, server.day(BATCH), server.day(BATCH - 1))
    dates = found(bob)
    days = [us(server.day(BATCH)), us(server.day(BATCH - 1))]
    came = {
        ("Batch, Bea", days[0]): (True, ""),
        ("Batch, Bea", days[1]): (True, ""),
        ("Batch, Ben", days[0]): (True, ""),
        ("Batch, Bob", days[0]): (True, ""),
        ("Batch, Bob", days[1]): (False, "Canceled."),
        ("Missed, Lou", days[0]): (True, ""),
        ("Missed, Lou", days[1]): (False, "Late Cancel without a fee service."),
        ("Missed, Mia", days[0]): (True, ""),
        ("Missed, Mia", days[1]): (False, "No Show without a fee service."),
    }
    for (client, day), (is_ticked, why) in came.items():
        tick = tick_of(bob, client, day)
        expect(tick).to_be_checked(checked=is_ticked)
        expect(row_of(tick)).to_contain_text(why)
    expect(dates.get_by_role("checkbox", name=DATE)).to_have_count(len(came))
    expect(row_of(tick_of(bob, "Missed, Mia", days[0]))).to_contain_text("NOSHOW")
    expect(row_of(tick_of(bob, "Missed, Lou", days[0]))).to_contain_text("LATE")
    bob.sees("6 selected, $655.00")
    bob.look("batch-found")

    # None, all of them, one client, and back to how they came; the sum follows every tick.
    bob.button("Select none").click()
    bob.sees("0 selected, $0.00")
    bob.button(re.compile("^Select all")).click()
    bob.sees(re.compile("^9 selected"))
    bob.button("As they came").click()
    bob.sees("6 selected, $655.00")
    bob.page.get_by_label("All dates of Batch, Bea").uncheck()
    bob.sees("4 selected, $315.00")
    bob.page.get_by_label("All dates of Batch, Bea").check()
    tick_of(bob, "Missed, Mia", days[0]).uncheck()
    bob.sees("5 selected, $580.00")

    # A client's date is opened, its rate and units edited.
    bob.button(f"Edit Batch, Ben, {days[0]}").click()
    bob.page.get_by_label(re.compile("^Rate, 9T001")).fill("120.50")
    bob.page.get_by_label(re.compile("^Units, 9T001")).fill("2")
    bob.button("Recalculate", found(bob)).click()
    bob.sees("5 selected, $671.00")
    expect(bob.page.get_by_label(re.compile("^Units, 9T001"))).to_have_value("2")
    bob.look("batch-edit")
    bob.button(CREATE).click()
    dialogue = bob.page.get_by_role("dialog")
    expect(dialogue.get_by_role("heading")).to_have_text("Create 4 invoices?")
    expect(dialogue).to_contain_text("4 invoices for 4 clients, 5 dates of service, $671.00 in all.")
    bob.look("batch-sure")
    bob.button("Cancel", dialogue).click()
    expect(dialogue).to_have_count(0)
    expect(bob.page.get_by_label(re.compile("^Units, 9T001"))).to_have_value("2")  # nothing typed is lost
    bob.button(CREATE).click()
    with server.worker_stopped():
        bob.button(YES, dialogue).click()
        bar = bob.page.get_by_role("progressbar")
        expect(bar).to_be_visible()
        bob.sees("0 of 4 clients")
        bob.look("batch-running")
    expect(bar).to_have_count(0)
    counts(bob, created="4", skipped="0", refused="0")
    created = bob.page.get_by_role("region", name="Created")
    expect(bob.row("Batch, Bea", created)).to_contain_text("$340.00")
    expect(bob.row("Batch, Ben", created)).to_contain_text("$241.00")
    expect(bob.row("Batch, Bob", created)).to_contain_text("$40.00")
    expect(bob.row("Missed, Lou", created)).to_contain_text("$50.00")
    expect(bob.row("Total of the batch", created)).to_contain_text("$671.00")
    bob.look("batch-result")

    # What was left alone is still there, and nothing else.
    open_batch(bob)
    search(bob, server.day(BATCH), server.day(BATCH - 1))
    expect(found(bob).get_by_role("checkbox", name=DATE)).to_have_count(4)
    expect(tick_of(bob, "Missed, Mia", days[0])).to_be_checked()
    bob.page.get_by_label("Hide No Shows, Reschedules & Cancellations").check()
    bob.button("Search").click()
    bob.sees("Nothing unbilled was found")
    bob.link("History").click()
    newest = bob.page.get_by_role("region", name="Batches").locator("tbody").get_by_role("row").first
    expect(newest).to_contain_text("Bob Biller")
    expect(newest).to_contain_text("$671.00")
    bob.glance("batch-history")


def test_what_is_refused_is_mended_and_only_that_retried(enter: Enter, server: Server) -> None:
    alice = enter("alice")
    open_batch(alice)
    search(alice, server.day(RETRY), server.day(RETRY))
    refusal = f"Otto Later has no AMA CPT license for {server.day().year}"
    expect(alice.row("Otto Later")).to_contain_text(refusal)
    alice.glance("batch-refused-before")
    alice.button(CREATE).click()
    dialogue = alice.page.get_by_role("dialog")
    expect(dialogue).to_contain_text("1 invoice for 1 client, 1 date of service, $150.00 in all.")
    expect(dialogue).to_contain_text("1 ticked date of service cannot be billed as things stand")
    alice.button(YES, dialogue).click()
    counts(alice, created="1", skipped="0", refused="1")
    refused = alice.page.get_by_role("region", name="Refused")
    expect(alice.row("Retry, Ron", refused)).to_contain_text(refusal)
    alice.look("batch-refused")
    alice.link(re.compile("^Assign the license ?, Retry, Ron$"), refused).click()
    alice.sees_heading("Assign a CPT license")
    alice.button(re.compile("^Assign for")).click()
    alice.sees_heading("Batch Invoicing")  # it leads back to where it was needed
    alice.button("Retry refused").click()
    counts(alice, created="1", skipped="0", refused="0")
    expect(alice.row("Retry, Ron", alice.page.get_by_role("region", name="Created"))).to_contain_text("$150.00")
    alice.sees("an earlier batch")
    alice.look("batch-retried")
    alice.link("an earlier batch").click()
    alice.button("Retry refused").click()
    alice.sees(re.compile("left to retry|Nothing"))
    alice.look("batch-nothing-to-retry")


def test_undo_voids_what_nobody_touched_and_says_what_remains(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    open_batch(bob)
    search(bob, server.day(UNDO), server.day(UNDO))
    create(bob)
    counts(bob, created="2", skipped="0", refused="0")
    run = bob.page.url
    pay(bob, bob.row("Undo, Uri").get_by_role("link"))
    bob.open(run)
    bob.link("Undo batch").click()
    bob.sees_heading("Undo batch")
    bob.look("undo")
    bob.button("Yes, undo batch").click()
    bob.sees("Nothing was changed.")
    bob.page.get_by_label("Reason").fill("The wrong month")
    bob.button("Yes, undo batch").click()
    bob.sees(re.compile(r"1 invoice voided\. 1 remains"))
    created = bob.page.get_by_role("region", name="Created")
    expect(bob.row("Undo, Una", created)).to_contain_text("Void")
    expect(bob.row("Undo, Uri", created)).to_contain_text("Remains: ")
    bob.sees(re.compile(r"Undone on .* by Bob Biller\. 1 invoice, \$40\.00, remains\."))
    expect(bob.link("Undo batch")).to_have_count(0)
    bob.look("undone")
    open_batch(bob)
    search(bob, server.day(UNDO), server.day(UNDO))
    expect(found(bob).get_by_role("checkbox", name=DATE)).to_have_count(1)
    expect(tick_of(bob, "Undo, Una", us(server.day(UNDO)))).to_be_checked()  # unbilled again


def test_a_batch_without_scripts(enter: Enter, server: Server) -> None:
    bob = enter("bob", scripts=False)
    open_batch(bob)
    search(bob, server.day(NO_SCRIPT_BATCH), server.day(NO_SCRIPT_BATCH - 1))
    days = [us(server.day(NO_SCRIPT_BATCH)), us(server.day(NO_SCRIPT_BATCH - 1))]
    expect(tick_of(bob, "Scriptless, Sol", days[1])).not_to_be_checked()
    bob.sees("4 selected, $530.00")
    tick_of(bob, "Scriptless, Sid", days[0]).uncheck()
    bob.button(f"Edit Scriptless, Sol, {days[0]}").click()
    expect(tick_of(bob, "Scriptless, Sid", days[0])).not_to_be_checked()
    bob.page.get_by_label(re.compile("^Rate, LETTER")).fill("45")
    bob.page.get_by_label("One invoice per date of service").check()
    bob.button(CREATE).click()
    bob.sees_heading("Create 3 invoices?")
    bob.sees("3 invoices for 2 clients, 3 dates of service, $385.00 in all.")
    with server.worker_stopped():
        bob.button(YES).click()
        expect(bob.page.get_by_role("progressbar")).to_be_visible()
    finished = bob.page.get_by_role("region", name="Created")
    bob.link("Refresh").click()
    bob.reload_until(lambda _: finished.count())
    counts(bob, created="3", skipped="0", refused="0")
    expect(bob.row("Scriptless, Sol", finished)).to_contain_text("$45.00")


def test_two_windows_and_a_double_click_bill_once(enter: Enter, server: Server) -> None:
    bob, alice = enter("bob"), enter("alice")
    for person in (bob, alice):
        open_batch(person)
        search(person, server.day(TWICE), server.day(TWICE))
        person.button(CREATE).click()
        expect(person.page.get_by_role("dialog")).to_contain_text("2 invoices for 2 clients")
    sent: list[Response] = []
    bob.page.on("response", lambda answer: sent.append(answer) if answer.request.method == "POST" else None)
    with ExitStack() as paused:
        paused.enter_context(server.worker_stopped())
        bob.button(YES).dblclick()
        expect(bob.page.get_by_role("progressbar")).to_be_visible()
        assert len(sent) == 1
        alice.button(YES).click()  # nothing is billed yet, so this starts a batch of its own
        expect(alice.page.get_by_role("progressbar")).to_be_visible()
    for person in (bob, alice):
        expect(person.page.get_by_role("progressbar")).to_have_count(0)
    first, second = (bob, alice) if bob.page.get_by_role("region", name="Created").count() else (alice, bob)
    counts(first, created="2", skipped="0", refused="0")
    counts(second, created="0", skipped="2", refused="0")
    numbers = first.page.get_by_role("region", name="Created").get_by_role("link").all_inner_texts()
    skipped = second.page.get_by_role("region", name="Skipped").get_by_role("link").all_inner_texts()
    assert sorted(skipped) == sorted(f"Invoice {number}" for number in numbers)
    second.look("batch-skipped")


def test_a_yes_said_after_somebody_else_billed_it_starts_nothing(enter: Enter, server: Server) -> None:
    """And the same form sent twice at the same moment is one batch."""
    bob, alice = enter("bob"), enter("alice")
    for person in (bob, alice):
        open_batch(person)
        search(person, server.day(TWICE + 30), server.day(TWICE + 30))
        person.button(CREATE).click()
        expect(person.page.get_by_role("dialog")).to_contain_text("1 invoice for 1 client")
    addresses = bob.page.evaluate(
        """() => {
            const fields = new URLSearchParams(new FormData(document.getElementById("batch-form")));
            fields.set("confirmed", "yes");
            const send = () => fetch(location.href, {method: "POST", body: fields}).then((answer) => answer.url);
            return Promise.all([send(), send(), send()]);
        }"""
    )
    assert len(set(addresses)) == 1
    bob.open(addresses[0])
    counts(bob, created="1", skipped="0", refused="0")
    alice.button(YES).click()
    alice.sees(re.compile("Everything that was ticked has been billed"))
    alice.look("batch-overtaken")


def open_batch(person: Visitor) -> None:
    """Create New Invoices, before the search."""
    person.open("/alder/billing/batch-invoicing/")
    person.sees_heading("Batch Invoicing")


def search(person: Visitor, first: date, last: date) -> None:
    """Search these service dates, both included."""
    person.page.get_by_label("From").fill(first.isoformat())
    person.page.get_by_label("To", exact=True).fill(last.isoformat())
    person.button("Search").click()


def found(person: Visitor) -> Locator:
    """What the search found."""
    return person.page.get_by_role("region", name="Unbilled dates of service")


def tick_of(person: Visitor, client: str, day: str) -> Locator:
    """The tick of one date of service."""
    return found(person).get_by_role("checkbox", name=f"{client}, {day}", exact=True)


def row_of(tick: Locator) -> Locator:
    """The row around a tick."""
    return tick.locator("xpath=ancestor::tr[1]")


def create(person: Visitor) -> None:
    """Create what is ticked, and say yes."""
    person.button(CREATE).click()
    person.button(YES, person.page.get_by_role("dialog")).click()


def counts(person: Visitor, **expected: str) -> None:
    """The result page's counts, as soon as the batch is through."""
    tiles = person.page.get_by_role("main").locator("dl.tiles")
    for label, count in expected.items():
        tile = tiles.locator("div").filter(has=person.page.get_by_text(label.title(), exact=True))
        expect(tile.locator("dd").first).to_contain_text(re.compile(rf"^\s*{count}\b"))


def pay(person: Visitor, invoice: Locator) -> None:
    """Pay one invoice in full, from its page."""
    invoice.click()
    person.link("Accept Payment").click()
    person.page.get_by_label("Method").select_option("Cash")
    expect(person.page.get_by_label("Pay all lines")).to_be_checked()  # the page opens with its invoice's lines ticked
    person.button("Save").click()
    person.sees(re.compile("^Payment of"))


def us(day: date) -> str:
    """As pages write it."""
    return day.strftime("%m/%d/%Y")
