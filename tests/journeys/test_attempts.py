"""Money as somebody handles it who is in a hurry: odd amounts, two tabs, two clicks, the back button. Whatever fails
says what to do, and nothing is half done."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .conftest import Enter
from .server import Server
from .test_payments import amount, effect, ledger, open_invoice, send_payment, show_write_off, take_payment, tile
from .visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("1,00", "“1,00” is not an amount such as 125.00"),
        ("1e3", "“1e3” is not an amount such as 125.00"),
        ("12.345", "“12.345” is not an amount such as 125.00"),
        ("-5", "An amount cannot be less than nothing."),
        ("0", "Enter the amount that was received"),
        ("999999999999", "“999999999999” is more than $10,000,000.00"),
    ],
)
def test_an_odd_amount_is_refused_in_words_and_stays_to_be_corrected(
    enter: Enter, server: Server, typed: str, answer: str | re.Pattern[str]
) -> None:
    bob = enter("bob")
    send_payment(bob, server, "odette", typed)
    bob.sees("The payment was not saved")
    bob.sees(answer)
    expect(amount(bob)).to_have_value(typed)
    ledger(bob, server, "odette")
    expect(tile(bob, "Client Balance Due")).to_have_text("$150.00")
    expect(tile(bob, "Client Credit")).to_have_text("$0.00")


def test_what_another_tab_has_paid_meanwhile_is_not_written_off(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    show_write_off(bob, server, "tess", "150", "Hardship")
    effect(bob, "Client Balance Due", "$150.00", "$0.00")
    other = enter("bob")
    take_payment(other, server, "tess", "100")
    bob.button("Yes, write off").click()
    bob.sees("Nothing was changed")
    bob.sees(re.compile(r"Only \$50\.00"))
    bob.look("write-off-of-a-stale-page")
    bob.page.get_by_label("Amount").fill("50")
    bob.button("Show the effect").click()
    effect(bob, "Client Balance Due", "$50.00", "$0.00")
    bob.button("Yes, write off").click()
    bob.sees("Write off: done.")


def test_what_another_tab_has_paid_meanwhile_is_not_voided_along(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    number = open_invoice(bob, server, "vito")
    bob.link("Void").click()
    effect(bob, "Client Balance Due", "$150.00", "$0.00")
    other = enter("bob")
    take_payment(other, server, "vito", "100")
    bob.page.get_by_label("Reason").fill("Wrong client")
    bob.button(f"Yes, void invoice {number}").click()
    bob.sees("Nothing was changed yet.")
    effect(bob, "Client Balance Due", "$50.00", "$0.00")
    effect(bob, "Client Credit", "$0.00", "$100.00")
    bob.look("void-of-a-stale-page")
    bob.button(f"Yes, void invoice {number}").click()
    bob.sees(f"Invoice {number} is void.")
    ledger(bob, server, "vito")
    expect(tile(bob, "Client Credit")).to_have_text("$100.00")


def test_a_stale_page_of_a_voided_invoice_says_so(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    number = open_invoice(bob, server, "ulla")
    invoice_url = bob.page.url
    bob.link(re.compile("^Change responsibility|^Edit")).first.click()
    stale = bob.page.url
    other = enter("bob")
    other.open(invoice_url)
    other.link("Void and rebill").click()
    other.page.get_by_label("Reason").fill("Other day")
    other.button("Show the effect").click()
    other.button("Yes, void and rebill").click()
    other.sees(f"Instead of invoice {number}")
    bob.page.get_by_label("Reason").fill("Too late")
    bob.button("Show the effect").click()
    bob.sees_heading(f"Invoice {number} Void")
    bob.sees(f"Nothing was changed by you; invoice {number} shows how it stands now.")
    bob.look("correction-of-a-line-that-has-ended")
    bob.open(stale)
    bob.sees_heading(f"Invoice {number} Void")


def test_two_clicks_on_save_are_one_payment_and_the_back_button_keeps_no_tick(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    ledger(bob, server, "dov")
    bob.link("Accept Payment").click()
    amount(bob).fill("30")
    bob.button("Save").dblclick()
    bob.sees("Payment of $30.00 saved: $30.00 applied.")
    expect(tile(bob, "Client Balance Due")).to_have_text("$120.00")
    bob.page.go_back()
    # The page is asked for anew. A browser would put the ticks back and not the amount: Save would take all there is.
    expect(amount(bob)).to_have_value("")
    expect(bob.page.get_by_role("checkbox", name=re.compile("^Pay"))).to_have_count(2)
    expect(bob.page.get_by_role("main").locator("input:checked")).to_have_count(0)
    bob.button("Save").click()
    bob.sees("Enter the amount that was received")
    ledger(bob, server, "dov")
    expect(tile(bob, "Client Balance Due")).to_have_text("$120.00")
    expect(tile(bob, "Client Credit")).to_have_text("$0.00")
    _one_payment(bob)


def test_a_correction_confirmed_twice_is_one(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    show_write_off(bob, server, "igor", "20", "Kindness")
    bob.button("Yes, write off").dblclick()
    bob.sees("Write off: done.")
    bob.page.go_back()
    bob.sees("This form had been saved already. Nothing was done twice.")
    ledger(bob, server, "igor")
    expect(tile(bob, "Client Balance Due")).to_have_text("$130.00")


def test_what_another_tab_posts_between_the_effect_and_yes_is_shown_before_it_is_done(
    enter: Enter, server: Server
) -> None:
    bob = enter("bob")
    show_write_off(bob, server, "tilda", "20", "Kindness")
    effect(bob, "Client Balance Due", "$150.00", "$130.00")
    other = enter("bob")
    show_write_off(other, server, "tilda", "20", "Kindness, too")
    other.button("Yes, write off").dblclick()
    other.sees("Write off: done.")
    bob.button("Yes, write off").click()
    bob.sees("Nothing was changed yet.")
    effect(bob, "Client Balance Due", "$130.00", "$110.00")
    bob.look("effect-that-has-moved")
    bob.link("Cancel").click()
    ledger(bob, server, "tilda")
    expect(tile(bob, "Client Balance Due")).to_have_text("$130.00")


def test_a_payment_edited_in_two_tabs_loses_nothing_of_either(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    take_payment(bob, server, "theo", "30")
    bob.link("Payment History").click()
    bob.row("$30.00").get_by_role("link").first.click()
    bob.link("Edit").click()
    other = enter("bob")
    other.open(bob.page.url)
    other.page.get_by_label("Number").fill("881")
    other.page.get_by_label("Reason").fill("It has a number")
    other.button("Show the effect").click()
    other.button("Yes, edit payment").click()
    other.sees("Edit payment: done.")
    bob.page.get_by_label("Method").select_option("Cash")
    bob.page.get_by_label("Reason").fill("It was cash")
    bob.button("Show the effect").click()
    bob.sees("This payment was corrected meanwhile. It is now Check 881 of")
    bob.look("payment-changed-meanwhile")
    expect(bob.page.get_by_label("Method")).to_have_value("cash")
    bob.page.get_by_label("Number").fill("881")
    bob.button("Show the effect").click()
    bob.button("Yes, edit payment").dblclick()
    bob.sees("Edit payment: done.")
    expect(bob.page.get_by_role("main")).to_contain_text("881")
    bob.page.go_back()  # the browser asks for that page anew
    bob.sees("This form had been saved already. Nothing was done twice.")


def test_a_write_off_by_keyboard_alone_and_changed_before_yes(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    bob.open(f"{server.client('kim')}/write-offs/")
    bob.link(re.compile("^Write off")).focus()
    keys = bob.page.keyboard
    keys.press("Enter")
    reason = bob.page.get_by_label("Reason")
    expect(reason).to_be_focused()  # side and amount come filled in
    keys.type("Small balance")
    keys.press("Enter")
    effect(bob, "Client Balance Due", "$150.00", "$0.00")
    bob.look("write-off-effect-with-what-was-typed")
    bob.button("Change").click()
    expect(reason).to_have_value("Small balance")
    bob.page.get_by_label("Amount").fill("20")
    keys.press("Enter")
    effect(bob, "Client Balance Due", "$150.00", "$130.00")
    expect(bob.page.get_by_role("region", name="Effect")).to_be_focused()
    keys.press("Tab")
    expect(bob.button("Yes, write off")).to_be_focused()
    keys.press("Enter")
    bob.sees("Write off: done.")


def _one_payment(bob: Visitor) -> None:
    bob.link("Payment History").click()
    expect(bob.row("$30.00")).to_have_count(1)
