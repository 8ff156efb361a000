"""Money in and money corrected, as a biller does it: every step names its figures (C2–C4, M1–M7)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from .conftest import Enter
from .server import Server
from .visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_payment_from_the_agenda_moves_the_invoice_to_fully_paid(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    bob.open(f"/alder/agenda/?day={server.day(8)}")
    bob.link("Apply Payment", bob.row("Payer, Pia")).click()
    bob.sees_heading("Apply Payment: Pia Payer")
    expect(amount(bob)).to_have_value("150.00")  # the full client amount (M1)
    bob.page.get_by_label("Method").select_option("Cash")
    bob.button("Save").click()
    bob.sees("Payment of $150.00 saved: $150.00 applied.")
    bob.sees_heading(re.compile("^Agenda, "))
    bob.look("agenda-paid")
    ledger(bob, server, "pia")
    bob.sees("No open invoices")
    expect(tile(bob, "Client Balance Due")).to_have_text("$0.00")
    bob.link("Fully Paid Invoices").click()
    paid = bob.page.get_by_role("region", name="Invoices").locator("tbody").get_by_role("row")
    expect(paid).to_have_count(1)
    expect(paid).to_contain_text("$150.00")
    bob.look("ledger-fully-paid")
    bob.link("Payment History").click()
    expect(bob.row("Cash")).to_contain_text("$150.00")
    bob.look("ledger-payment-history")
    bob.link("All Activity").click()
    bob.look("ledger-all-activity")


def test_what_is_paid_too_much_is_told_kept_and_used_on_another_invoice(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    ledger(bob, server, "olga")
    bob.link("Accept Payment").click()
    surplus = bob.page.get_by_role("status").filter(has_text="will be kept as credit")
    expect(surplus).to_have_count(0)
    amount(bob).fill("200")
    expect(surplus).to_have_text("$50.00 will be kept as credit.", use_inner_text=True)
    bob.look("overpayment")
    bob.button("Save").click()
    bob.sees("Payment of $200.00 saved: $150.00 applied, $50.00 kept as credit.")
    expect(tile(bob, "Client Credit")).to_have_text("$50.00")
    unapplied = bob.page.get_by_role("region", name="Unapplied Payments/Credits and Refunds")
    expect(bob.row("Check", unapplied)).to_contain_text("$50.00")
    bob.look("ledger-with-credit")

    bob.link("New Invoice").first.click()
    bob.page.get_by_text("Save ▾").click()
    bob.button("Save & Accept Payment").click()
    bob.sees(re.compile(r"\$50\.00 of credit is there already"))  # offered wherever an invoice is open, never taken
    bob.look("accept-payment-with-credit")
    bob.link("Apply to Invoices").click()
    bob.sees_heading("Apply to Invoices: Olga Over")
    bob.look("apply-to-invoices")
    bob.page.get_by_label("Pay all lines").check()
    bob.button("Apply").click()
    bob.sees("The credit was applied.")
    expect(tile(bob, "Client Credit")).to_have_text("$10.00")
    expect(tile(bob, "Client Balance Due")).to_have_text("$0.00")


def test_the_surplus_is_told_before_saving_without_scripts_too(enter: Enter, server: Server) -> None:
    bob = enter("bob", scripts=False)
    send_payment(bob, server, "cora", "31.00")
    expect(bob.page.get_by_role("status").filter(has_text="will be kept as credit")).to_have_text(
        "$1.00 will be kept as credit. Nothing is saved yet: save anyway, or change the amounts.", use_inner_text=True
    )
    bob.button("Save anyway").click()
    bob.sees("Payment of $31.00 saved: $30.00 applied, $1.00 kept as credit.")


def test_a_write_off_and_its_taking_back(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    ledger(bob, server, "wes")
    bob.link("Write-Offs").click()
    bob.sees_heading(re.compile("^Write-Offs"))
    bob.look("write-offs")
    bob.link(re.compile("^Write off")).click()
    bob.page.get_by_label("Amount").fill("50")
    bob.button("Show the effect").click()
    bob.sees("Nothing was changed")  # client write-offs demand a reason (M7)
    bob.look("write-off-without-a-reason")
    bob.page.get_by_label("Reason").fill("Hardship")
    bob.button("Show the effect").click()
    effect(bob, "Client Balance Due", "$150.00", "$100.00")
    bob.look("write-off-effect")
    bob.button("Yes, write off").click()
    bob.sees("Write off: done.")
    expect(bob.row("Hardship")).to_contain_text("$50.00")
    bob.look("write-offs-with-one")
    bob.link(re.compile("^Take back")).click()
    bob.page.get_by_label("Reason").fill("Paid after all")
    bob.button("Show the effect").click()
    effect(bob, "Client Balance Due", "$100.00", "$150.00")
    bob.button("Yes, take back write-off").click()
    bob.sees("Nothing was written off, or all of it was taken back.")
    ledger(bob, server, "wes")
    bob.link("All Activity").click()  # both rows stay readable
    for text in ("Hardship", "Paid after all"):
        expect(bob.row(text).first).to_be_visible()


def test_an_unpaid_deductible_moves_to_the_client(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    number = open_invoice(bob, server, "dora")
    bob.link(re.compile("^Change responsibility")).click()
    bob.sees_heading("Change responsibility")
    expect(bob.page.get_by_label("Move to")).to_have_value("client")
    bob.page.get_by_label("Amount").fill("100")
    bob.page.get_by_label("Reason").fill("Deductible not met")
    bob.button("Show the effect").click()
    effect(bob, "Client Balance Due", "$0.00", "$100.00")
    effect(bob, "Insurance Balance Due", "$150.00", "$50.00")
    bob.look("change-responsibility-effect")
    bob.button("Yes, change responsibility").click()
    bob.sees_heading(f"Invoice {number} Open")
    expect(tile(bob, "Client owes")).to_have_text("$100.00")
    expect(tile(bob, "Insurance owes")).to_have_text("$50.00")
    expect(tile(bob, "Total")).to_have_text("$150.00")
    bob.look("invoice-after-change-of-responsibility")


def test_a_partly_paid_invoice_is_voided_and_rebilled_with_its_payment(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    take_payment(bob, server, "rita", "60")
    number = open_invoice(bob, server, "rita")
    bob.link("Void and rebill").click()
    bob.sees_heading("Void and rebill")
    bob.page.get_by_label(f"Service on {server.day(8):%m/%d/%Y}").select_option("LETTER Letter")
    bob.page.get_by_label("Reason").fill("It was a letter")
    bob.look("void-and-rebill")
    bob.button("Show the effect").click()
    effect(bob, "Client Balance Due", "$90.00", "$0.00")
    effect(bob, "Client Credit", "$0.00", "$20.00")
    bob.look("void-and-rebill-effect")
    bob.button("Yes, void and rebill").click()
    bob.sees_heading(re.compile(r"^Invoice \d+ Paid$"))
    bob.sees(f"Instead of invoice {number}")
    expect(tile(bob, "Total")).to_have_text("$40.00")
    bob.look("invoice-rebilled")
    bob.open(f"/alder/invoices/{number}/")
    bob.sees_heading(f"Invoice {number} Void")
    ledger(bob, server, "rita")
    expect(tile(bob, "Client Credit")).to_have_text("$20.00")


def test_an_insurance_cheque_of_ten_lines_by_keyboard_alone(enter: Enter) -> None:
    """From the Agenda to the saved cheque: no click, no locator that is not focused by keys."""
    bob = enter("bob")
    bob.open("/alder/agenda/")
    keys = bob.page.keyboard
    keys.press("g")
    keys.press("b")
    bob.sees_heading(re.compile("^Batch Invoicing"))
    tab_to(bob, bob.link("Batch Payments"))
    keys.press("Enter")
    bob.sees_heading("Batch Payments")
    tab_to(bob, bob.page.get_by_label("Insurer", exact=True))
    keys.type("Harbor")
    tab_to(bob, bob.button("Show"), presses=2)
    keys.press("Enter")
    expect(amount(bob)).to_be_focused()
    keys.type("1250")
    tab_to(bob, bob.page.get_by_label("Number optional"), presses=6)
    keys.type("99817")
    paid = bob.page.get_by_label(re.compile("^Paid: "))
    expect(paid).to_have_count(10)
    tab_to(bob, paid.first, presses=4)
    for line in range(9):
        expect(paid.nth(line)).to_be_focused()
        keys.type("125")
        keys.press("Tab")
        keys.type("10")  # the insurer's contract
        keys.press("Tab")
        keys.type("15")  # the client's part
        keys.press("Tab")
    left = bob.page.get_by_text("$125.00 of $1,250.00 is not on a line yet.")
    expect(left).to_be_visible()
    keys.type("125")
    expect(left).to_be_hidden()
    bob.look("ten-lines")
    totals = bob.row("Total").last
    for sum_of_column in ("$1,250.00", "$90.00", "$135.00"):
        expect(totals).to_contain_text(sum_of_column)
    keys.press("Enter")  # down the column; below it is Save
    expect(bob.button("Save")).to_be_focused()
    keys.press("Enter")
    bob.sees(re.compile(r"Harbor Health saved: \$1,250\.00 applied, \$90\.00 adjusted, \$135\.00 moved to clients"))
    expect(bob.page.get_by_label("Insurer", exact=True)).to_be_focused()  # the next check begins here
    expect(bob.row("99817")).to_contain_text("Harbor Health")
    bob.look("ten-lines-saved")
    bob.open("/alder/insurers/?q=Harbor")
    bob.link("Harbor Health").click()
    bob.look("insurer-with-figures")
    expect(tile(bob, "Insurance Balance Due")).to_have_text("$25.00")
    tile(bob, "Insurance Balance Due").get_by_role("link").click()
    bob.sees_heading("Entries: Harbor Health")
    expect(tile(bob, "Insurance Balance Due")).to_have_text("$25.00")
    expect(bob.row("Harbor, Hal").first).to_be_visible()
    bob.look("insurer-entries")


def test_a_billing_note_is_updated_and_keeps_its_earlier_text(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    ledger(bob, server, "nell")
    notes = bob.page.get_by_role("region", name="Billing Notes")
    expect(notes).to_contain_text("No billing notes yet.")
    notes.get_by_label("New note").fill("Pays on Fridays")
    bob.button("Add Note", notes).click()
    bob.sees("The note was added.")
    bob.link(re.compile("^Update"), notes).click()
    bob.sees_heading("Update Billing Note: Nell Notes")
    bob.look("update-note")
    bob.page.get_by_label("Note").fill("Pays on Mondays")
    bob.button("Save").click()
    bob.sees("The note was updated; its earlier text is kept.")
    expect(notes).to_contain_text("Pays on Mondays")
    expect(notes.get_by_text("Pays on Fridays")).to_be_hidden()
    notes.get_by_text("1 earlier text").press("Enter")
    expect(notes.get_by_text("Pays on Fridays")).to_be_visible()
    expect(notes).to_contain_text(re.compile("Bob Biller, .*Bob Biller, ", re.DOTALL))
    bob.look("notes")


def ledger(visitor: Visitor, server: Server, client: str) -> None:
    visitor.open(f"{server.client(client)}/ledger/")


def open_invoice(visitor: Visitor, server: Server, client: str) -> str:
    """Opens the one open invoice of a client from the Ledger; its number."""
    ledger(visitor, server, client)
    link = visitor.page.get_by_role("region", name="Invoices").locator("tbody").get_by_role("link").first
    number = link.inner_text()
    link.click()
    visitor.sees_heading(f"Invoice {number} Open")
    return number


def send_payment(visitor: Visitor, server: Server, client: str, typed: str) -> None:
    """Accept Payment from the Ledger, as it comes but for the amount."""
    ledger(visitor, server, client)
    visitor.link("Accept Payment").click()
    amount(visitor).fill(typed)
    visitor.button("Save").click()


def take_payment(visitor: Visitor, server: Server, client: str, dollars: str) -> None:
    """So many whole dollars of a client, who owes at least as much."""
    send_payment(visitor, server, client, dollars)
    visitor.sees(f"Payment of ${dollars}.00 saved: ${dollars}.00 applied.")


def amount(visitor: Visitor) -> Locator:
    """The head of a payment: what was received."""
    return visitor.page.get_by_label("Amount optional")


def tile(visitor: Visitor, label: str) -> Locator:
    """The figure of a tile."""
    return visitor.page.locator(".tile").filter(has=visitor.page.get_by_text(label, exact=True)).locator("dd")


def effect(visitor: Visitor, figure: str, now: str, afterwards: str) -> None:
    """What a correction says it will do, before it does it."""
    cells = visitor.row(figure, visitor.page.get_by_role("region", name="Effect")).get_by_role("cell")
    expect(cells).to_have_text([now, afterwards])


def show_write_off(visitor: Visitor, server: Server, client: str, dollars: str, reason: str) -> None:
    """A write-off of the client's one open invoice, as far as its effect."""
    open_invoice(visitor, server, client)
    visitor.link(re.compile("^Write off")).click()
    visitor.page.get_by_label("Amount").fill(dollars)
    visitor.page.get_by_label("Reason").fill(reason)
    visitor.button("Show the effect").click()


def tab_to(visitor: Visitor, target: Locator, *, presses: int = 40) -> None:
    """Tab until `target` has the focus; fails where that takes more presses."""
    expect(target).to_have_count(1)
    for _ in range(presses + 1):
        if target.evaluate("(each) => each === document.activeElement"):
            return
        visitor.page.keyboard.press("Tab")
    expect(target).to_be_focused(timeout=1)
