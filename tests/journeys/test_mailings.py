"""Documents on their way: Batch Statements, Process Existing Invoices, one e-mail, the Delivery Log and its unknowns,
and how the practice signs. The mail server is a real one on loopback."""

from __future__ import annotations

import re

import pypdfium2
import pytest
from playwright.sync_api import expect

from .conftest import Enter
from .server import Server
from .visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
STATEMENTS, EXISTING = "/alder/billing/batch-statements/", "/alder/billing/batch-invoicing/existing/"
YES = "Yes, I'm sure"


def test_statements_go_out_as_each_client_prefers(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    bob.open("/alder/billing/batch-invoicing/")
    bob.link("Batch Statements", bob.page.get_by_role("navigation", name="Billing")).click()
    bob.sees("Search first")
    bob.glance("statements-before")
    bob.page.get_by_label("Name").fill("Posted")
    bob.button("Search").click()
    bob.sees("4 clients")
    expect(bob.row("Posted, Noel")).to_contain_text("no e-mail address")
    expect(bob.row("Posted, Quin")).to_contain_text("wants paper")
    bob.page.get_by_label("Posted, Otis").uncheck()
    bob.sees("3 selected, $120.00")
    bob.look("statements-found")
    bob.button("As each client prefers").click()
    bob.sees_heading("Statements for 3 clients")
    bob.sees("2 to print, 1 by e-mail")
    bob.page.get_by_label("Text of the e-mail").fill("Thank you for paying within 30 days.")
    bob.button("Update").click()
    bob.sees("Dear Mona Posted,")
    expect(bob.page.get_by_role("region", name="E-mail", exact=True)).to_contain_text("Your statement")
    bob.look("statements-confirm")
    with server.worker_stopped():
        bob.button(YES).click()
        bob.sees("0 of 3 clients")
        bob.look("statements-running")
    bob.sees("Open the PDF, 2 pages")
    expect(bob.page.get_by_role("link", name="1", exact=True)).to_be_visible()  # e-mails sent
    bob.look("statements-result")
    texts = pages(bob, bob.link("Download").get_attribute("href") or "")
    assert ["Noel Posted" in texts[0], "Quin Posted" in texts[1], len(texts)] == [True, True, 2]
    (message,) = [each for each in server.mail.messages if each["To"] == "mona@clients.example"]
    assert "Thank you for paying within 30 days." in str(message.get_body(("plain",)))
    bob.link("History").click()
    expect(bob.row("Bob Biller").first).to_contain_text("Finished")
    bob.look("statements-history")


def test_statements_without_a_script(enter: Enter, server: Server) -> None:
    bob = enter("bob", scripts=False)
    bob.open(STATEMENTS)
    bob.page.get_by_label("Name").fill("Posted")
    bob.button("Search").click()
    bob.button("Select none").click()
    bob.page.get_by_label("Posted, Otis").check()
    bob.button("Print", bob.page.locator("#search-form")).click()
    bob.sees_heading("Statements for 1 client")
    bob.button(YES).click()
    bob.reload_until(lambda page: page.get_by_text("Open the PDF, 1 page").count())


def test_a_second_form_for_the_same_days_asks_for_a_tick(enter: Enter, server: Server) -> None:
    """Three opened the form, and one was first. The server asks: the last has no scripts."""
    bob, alice, again = enter("bob"), enter("alice"), enter("alice", scripts=False)
    for person in (bob, alice, again):
        person.open(STATEMENTS)
        person.page.get_by_label("Name").fill("Double")
        person.button("Search").click()
        person.button("Print", person.page.locator("#search-form")).click()
        person.sees_heading("Statements for 1 client")
    bob.button(YES).click()
    bob.sees("Open the PDF, 1 page")
    alice.button(YES).click()
    alice.sees("Bob Biller began statements for this client on")
    alice.sees("Nothing was started yet.")
    alice.look("begun-before")
    alice.link("Show that run").click()
    alice.sees("Bob Biller")
    again.button(YES).click()
    again.sees("Nothing was started yet.")
    again.page.get_by_label("Send it to them again").check()
    again.button(YES).click()
    expect(again.page.get_by_label("Send it to them again")).to_have_count(0)
    again.sees("Alice Owner")


def test_existing_invoices_are_printed_and_claimed(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    bob.open("/alder/billing/batch-invoicing/")
    bob.link("Process Existing Invoices").click()
    bob.page.get_by_role("textbox", name=re.compile("^Client")).fill("Posted")
    bob.button("Search").click()
    bob.sees("4 selected, $160.00 open")
    bob.look("existing-found")
    bob.button("Superbills").click()
    bob.sees_heading("Superbills for 4 clients")
    bob.button("Back to the list").click()
    bob.button("E-mail", bob.page.locator("#search-form")).click()
    bob.sees("0 to print, 2 by e-mail")
    expect(bob.row("Posted, Noel")).to_contain_text("No e-mail address is on record.")
    bob.look("existing-confirm")
    bob.page.get_by_role("combobox", name=re.compile("^Send")).select_option("One PDF to print")
    bob.button("Update").click()
    bob.sees("4 to print, 0 by e-mail")
    bob.button(YES).click()
    bob.sees("Open the PDF, 4 pages")
    bob.look("existing-result")


def test_one_invoice_is_seen_and_e_mailed(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    bob.open(f"{EXISTING}?client=Mona")
    bob.link(re.compile("^Invoice ")).click()
    bob.sees_heading(re.compile("^Invoice "))
    bob.link("Print").click()
    bob.button("E-mail").click()
    bob.sees_heading("E-mail Invoice")
    bob.sees("mona@clients.example")
    bob.look("email-invoice")
    bob.button("Send E-mail").click()
    bob.sees_heading("Invoice by e-mail")
    wait_for_state(bob, "Sent")
    bob.look("message-sent")
    sent = [(each["To"], each["Subject"]) for each in server.mail.messages]
    assert ("mona@clients.example", "Your invoice") in sent


def test_an_unknown_one_is_looked_into_by_a_person(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    server.mail.at_data["otis@clients.example"] = ["take and drop"]
    bob.open(f"{EXISTING}?client=Otis")
    bob.link(re.compile("^Invoice ")).click()
    bob.sees_heading(re.compile("^Invoice "))
    bob.link("Print").click()
    bob.button("E-mail").click()
    bob.button("Send E-mail").click()
    wait_for_state(bob, "Unknown")
    bob.sees("Check before sending again.")
    bob.look("message-unknown")
    bob.button("Send again").click()
    bob.sees("If it did, the person gets it twice.")
    bob.link("Cancel").click()
    bob.button("Mark as sent").click()
    bob.sees("The message is marked as sent.")
    expect(bob.row("Marked as sent by a person")).to_contain_text("Bob Biller")
    bob.link("Delivery Log", bob.page.get_by_role("navigation", name="Billing")).click()
    bob.page.get_by_role("combobox", name=re.compile("^State")).select_option("Sent")
    bob.button("Search").click()
    expect(bob.row("Otis Posted").first).to_contain_text("Sent")
    bob.look("delivery-log")
    bob.page.get_by_role("combobox", name=re.compile("^State")).select_option("Withdrawn")
    bob.button("Search").click()
    bob.sees("No message fits")
    bob.glance("delivery-log-empty")


def test_how_the_practice_signs_and_a_test_message(enter: Enter, server: Server) -> None:
    alice = enter("alice")
    alice.open("/alder/organization/settings")
    alice.link("Change, or send a test message").click()
    alice.page.get_by_label("Answers go to").fill("nobody")
    alice.button("Save").click()
    alice.sees("The settings were not saved")
    alice.look("e-mail-refused")
    alice.page.get_by_label("Answers go to").fill("desk@alder.example")
    alice.page.get_by_label("Sender name").fill("Alder")
    alice.button("Save").click()
    alice.sees("The e-mail settings were saved.")
    alice.button("Send Test Message").click()
    alice.sees("The test message is on its way")
    wait_for_state(alice, "Sent")
    alice.look("e-mail-settings")
    message = next(each for each in server.mail.messages if each["To"] == "alice@alder.example")
    assert message["From"].startswith("Alder <") and message["Reply-To"] == "desk@alder.example"


def wait_for_state(visitor: Visitor, state: str) -> None:
    """Reload until the message's tag says so."""
    visitor.reload_until(lambda page: page.locator(".tag").get_by_text(state, exact=True).count())


def pages(visitor: Visitor, path: str) -> list[str]:
    """What each page of a PDF says."""
    answer = visitor.context.request.get(visitor.server.url + path)
    assert answer.status == 200
    document = pypdfium2.PdfDocument(answer.body())
    return [page.get_textpage().get_text_range() for page in document]
