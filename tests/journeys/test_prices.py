"""What things cost (B10): a client's own amount, amounts by income, insurers' fee schedules and rules, the import of a
schedule, and the one question that all of them answer: What would it bill?"""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import Locator, expect

from .conftest import Enter
from .priced import PRICED
from .server import Server
from .visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_an_insurer_gets_a_fee_schedule_that_is_copied_to_a_new_date(enter: Enter, server: Server) -> None:
    alice = enter("alice")
    alice.open("/alder/service-types/")
    alice.link("Insurers’ Prices").click()
    alice.sees_heading("Insurers’ Prices")
    alice.look("prices-insurers")
    alice.link("Willow Health").click()
    alice.sees("Insured lines are billed at the services’ own rates.")
    alice.look("prices-none")
    this_year, next_year = server.day().replace(month=1, day=1), date(server.day().year + 1, 1, 1)
    add_rate(alice, "9T001 Talk", "120.50", this_year)
    alice.sees("The rate was added.")
    expect(alice.row("9T001 Talk")).to_contain_text("$120.50")
    add_rate(alice, "9T001 Talk", "130", this_year)
    alice.sees(f"A rate of $120.50 for this service begins on {us(this_year)}. Nothing was saved")
    alice.look("prices-rate-refused")
    alice.link("Cancel").click()
    alice.link("Copy to a New Date").click()
    alice.page.get_by_label("In force from").fill(next_year.isoformat())
    alice.page.get_by_label("Change in percent").fill("2.5")
    alice.look("prices-copy")
    alice.button("Copy").click()
    alice.sees("1 rate copied.")
    expect(alice.row("to come")).to_contain_text("$123.51")  # 123.5125
    alice.link(f"Edit 9T001 Talk from {us(this_year)}").click()
    alice.page.get_by_label("Rate per unit").fill("121")
    alice.look("prices-rate-edited")
    alice.button("Save").click()
    expect(alice.row("$121.00")).to_contain_text(us(next_year))
    alice.look("prices-of-willow")


def test_an_insurers_rule_is_added_and_ended(enter: Enter, server: Server) -> None:
    alice = enter("alice")
    open_prices(alice, "Cedar Mutual")
    alice.link("Add Rule").click()
    alice.page.get_by_label("Service type").select_option("LETTER Letter")
    alice.page.get_by_label("Where the visit took place").fill("1")
    alice.page.get_by_label("Modifiers to add").fill("gt")
    alice.page.get_by_label("Place of service to bill").fill("02")
    alice.button("Save").click()
    alice.sees("A place of service has two digits")
    alice.look("prices-rule-refused")
    alice.page.get_by_label("Where the visit took place").fill("10")
    alice.button("Save").click()
    alice.sees("The rule was added.")
    rule = alice.row("LETTER Letter")
    expect(rule).to_contain_text("GT")
    alice.look("prices-rules")
    alice.link(re.compile("^End the rule for LETTER Letter"), rule).click()
    alice.page.get_by_label("No longer in force from").fill((server.day() + timedelta(days=30)).isoformat())
    alice.look("prices-rule-end")
    alice.button("End Rule").click()
    expect(alice.row("LETTER Letter")).to_contain_text(us(server.day() + timedelta(days=30)))
    alice.link(re.compile("^Remove the rule for LETTER Letter")).click()
    alice.look("prices-rule-remove")
    alice.button(re.compile("^Yes|^Take|^Remove")).click()
    expect(alice.row("LETTER Letter")).to_have_count(0)


def test_a_fee_schedule_comes_from_a_file(enter: Enter, server: Server) -> None:
    alice = enter("alice")
    open_prices(alice, "Cedar Mutual")
    alice.link("Import from a File").click()
    alice.sees_heading("Import")
    assert alice.page.get_by_label("What the file holds").input_value() == "fee_schedules"
    bring(
        alice,
        "Cedar Mutual,LETTER,1/1/2031,45.00,7/1/2031",
        "cedar mutual,letter,2031-06-01,44.00,",
        "Cedar Mutual,GONE,1/1/2031,12,x",
    )
    alice.sees("3 problems. Nothing was written, and nothing will be until the file is mended.")
    alice.sees("Periods cannot overlap")
    alice.sees("there is no “GONE” among the service types")
    alice.look("prices-import-refused")
    alice.link("Choose another file").click()
    alice.page.get_by_label("What the file holds").select_option("Fee Schedules")
    good = ("Cedar Mutual,LETTER,1/1/2031,45.00,7/1/2031", "cedar mutual,letter,2031-07-01,44.00,")
    bring(alice, *good)
    alice.sees("2 rows will be written, all or none.")
    alice.look("prices-import")
    alice.button("Import 2 rows").click()
    alice.sees("Fee Schedules imported: 2 new, 0 changed, 0 unchanged.")
    alice.page.get_by_label("What the file holds").select_option("Fee Schedules")
    bring(alice, *good)
    alice.sees("Everything in this file is here already.")
    open_prices(alice, "Cedar Mutual")
    expect(alice.row("$44.00")).to_contain_text("07/01/2031")


def test_amounts_by_income(enter: Enter, server: Server) -> None:
    alice = enter("alice")
    alice.open(f"{server.client('ivo')}/bill-to")
    alice.sees("Income Based Payment Amount today: $20.00 a unit")
    alice.look("prices-income-of-a-client")
    alice.link("Record Income").click()
    alice.page.get_by_label("Income of the household").fill("2500")
    alice.page.get_by_label("A month").check()
    alice.page.get_by_label("Household size").fill("2")
    alice.page.get_by_label("Note").fill("Payslip")
    alice.look("prices-income-recorded")
    alice.button("Save").click()
    alice.sees("$2,500.00")
    alice.link("Organization", alice.page.get_by_role("navigation", name="Main")).click()
    alice.link("Income Based Payment Amounts").click()
    alice.link("New Amounts").click()
    alice.page.get_by_label("In force from").fill("2032-01-01")
    alice.page.get_by_label("Yearly").check()
    for row, (income, amount) in enumerate((("0", "25"), ("30,000", "60"), ("30,000", ""))):
        alice.page.get_by_label("Service type").nth(row).select_option("All service types")
        alice.page.get_by_label("Household size from").nth(row).fill("1")
        alice.page.get_by_label("Income from").nth(row).fill(income)
        alice.page.get_by_label("Amount per unit").nth(row).fill(amount)
    alice.button("Save").click()
    alice.sees("The amounts were not saved")
    alice.look("prices-income-refused")
    alice.page.get_by_label("Income from").nth(2).fill("60000")
    alice.button("Save").click()
    amounts = alice.page.get_by_role("region", name="Amounts from 01/01/2032")
    expect(alice.row("$60.00", amounts)).to_contain_text("$30,000.00")
    alice.look("prices-income-amounts")


def test_what_would_it_bill_from_each_door(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    day = server.day(PRICED)
    bob.open(f"{server.client('peony')}/bill-to")
    bob.link("Edit Bill To").click()
    bob.page.get_by_label("Set Payment Amount").fill("80")
    bob.look("prices-bill-to")
    bob.button("Save").click()
    bob.sees("$80.00 a unit")
    bob.link("Add Service").click()
    bob.page.get_by_label("Service type").select_option("LETTER Letter")
    bob.page.get_by_label("Set Payment Amount").fill("35.00")
    bob.look("prices-client-service")
    bob.button("Save").click()
    expect(bob.row("LETTER Letter")).to_contain_text("$35.00")
    bob.look("prices-client-agreed")

    bob.open(f"/alder/agenda/?day={day}")
    bob.link("What would it bill?").click()
    bob.sees_heading("What would this visit bill?")
    explained(bob.page.get_by_role("main"))
    bob.look("prices-would-bill")
    bob.link("Back").click()
    bob.page.wait_for_url(f"**/agenda/?day={day}")
    bob.open(f"/alder/appointments/{server.practice['appointments']['priced']}/")
    bob.link("What would it bill?").click()
    explained(bob.page.get_by_role("main"))

    bob.open(f"{server.client('peony')}/ledger/")
    bob.link("New Invoice").first.click()
    bob.button("All Past").click()
    bob.link(re.compile("^Why\\? What 9T001 Talk")).click()
    explained(bob.page.get_by_role("dialog"))
    bob.look("prices-why-in-the-editor")
    bob.button("Close").click()
    expect(bob.page.get_by_role("dialog")).to_have_count(0)

    bob.open(f"/alder/billing/batch-invoicing/?from_on={day}&to_on={day}")
    bob.page.get_by_label("From").fill(day.isoformat())
    bob.page.get_by_label("To", exact=True).fill(day.isoformat())
    bob.button("Search").click()
    bob.link(re.compile("^Why\\? What Priced, Peony")).click()
    explained(bob.page.get_by_role("dialog"))
    bob.look("prices-why-in-the-batch")


def explained(place: Locator) -> None:
    """$80 by the client's own amount, before the insurer's $110 and the service's $150; the letter at $35."""
    expect(place).to_contain_text("$115.00")
    expect(place).to_contain_text("$110.00")
    expect(place.get_by_role("row").filter(has_text="Modifiers").first).to_contain_text("95")
    won = place.get_by_role("row").filter(has_text="Yes").filter(has_text="$80.00")
    expect(won).to_contain_text("Set Payment Amount")


def add_rate(person: Visitor, service: str, cents: str, day: date) -> None:
    """Add Rate, from an insurer's prices."""
    person.link("Add Rate").click()
    person.page.get_by_label("Service type").select_option(service)
    person.page.get_by_label("Rate per unit").fill(cents)
    person.page.get_by_label("In force from", exact=True).fill(day.isoformat())
    person.button("Save").click()


def open_prices(person: Visitor, insurer: str) -> None:
    """An insurer's prices, by way of the list."""
    person.open("/alder/payer-prices/")
    person.link(insurer).click()
    person.sees_heading(f"Prices of {insurer}")


def bring(person: Visitor, *rows: str) -> None:
    """Choose a file of these rows, and look at what would become of them."""
    content = "\n".join(["Insurer,Service Type,From,Rate,Ends On", *rows])
    person.page.get_by_label("File", exact=True).set_input_files(
        {"name": "cedar.csv", "mimeType": "text/csv", "buffer": content.encode()}
    )
    person.button("Preview").click()


def us(day: date) -> str:
    """As pages write a day."""
    return f"{day:%m/%d/%Y}"
