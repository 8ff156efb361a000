"""Ledger, New Invoice: the editor, each way to save, the invoice and its void (B3, C3)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Route, expect

from .conftest import Enter
from .server import Server
from .visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

FILTERS = ("Recent 30 Days", "All Past", "All")


def test_an_invoice_is_put_together_voided_and_its_dates_are_unbilled_again(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    open_editor(bob, server, "edith")
    assert [button.inner_text().removesuffix(" ✓") for button in filters(bob).all()] == list(FILTERS)
    for label, days in (
        ("All Past", ("long_ago", "older", "recent")),
        ("All", ("long_ago", "older", "recent", "to_come")),
        ("Recent 30 Days", ("older", "recent")),
    ):
        bob.button(re.compile(f"^{label}( ✓)?$")).click()
        expect(bob.button(f"{label} ✓")).to_have_attribute("aria-pressed", "true")
        expect(bob.button(f"{label} ✓")).to_be_focused()  # the keyboard goes on from there
        holds(bob, server, *days)
    bob.look("editor")

    bob.button(f"Take 9T001 Talk of {us(server, 13)} off this invoice").click()
    holds(bob, server, "recent")
    bob.sees("Off this invoice, still unbilled:")
    add_item(bob, server, name="Report for the school", days_ago=45, rate="25")
    bob.sees(re.compile("looks like something of Edith Editor that is not billed yet"))
    expect(tile(bob, "Total")).to_have_text("$175.00")
    bob.look("editor-warning")
    bob.button("Link it instead").click()
    holds(bob, server, "long_ago", "recent")
    expect(bob.page.get_by_role("group", name="Item 1")).to_have_count(0)
    add_item(bob, server, service="LETTER Letter", days_ago=2)
    expect(tile(bob, "Total")).to_have_text("$340.00")
    bob.page.get_by_label(f"Units, 9T001 Talk, {us(server, 6)}").fill("2")
    bob.page.get_by_label("Notes on the invoice").fill("As spoken on the phone")
    expect(tile(bob, "Total")).to_have_text("$490.00")
    bob.look("editor-item")
    bob.button("Save").click()

    bob.sees(re.compile(r"^Invoice \d+ created\.$"))
    bob.sees_heading("Ledger: Edith Editor")
    expect(invoices(bob).get_by_role("row")).to_have_count(1)
    expect(invoices(bob)).to_contain_text("$490.00")
    bob.look("ledger-with-one-invoice")
    number = invoices(bob).get_by_role("link").first.inner_text()
    bob.link(number, invoices(bob)).click()
    bob.sees_heading(f"Invoice {number} Open")
    bob.sees("As spoken on the phone")
    bob.look("editor-invoice")
    open_editor(bob, server, "edith")
    holds(bob, server, "older")  # X was for that invoice only

    bob.open(f"/alder/invoices/{number}/")
    bob.link("Void").click()
    bob.sees_heading(f"Void invoice {number}")
    expect(bob.page.get_by_role("main")).to_contain_text("2 dates of service are unbilled again")
    bob.button(f"Yes, void invoice {number}").click()
    bob.sees("Nothing was changed.")  # without a reason
    bob.look("void-without-a-reason")
    bob.page.get_by_label("Reason").fill("Wrong units")
    bob.button(f"Yes, void invoice {number}").click()
    bob.sees_heading(f"Invoice {number} Void")
    bob.sees(re.compile("Voided on .* by Bob .*: Wrong units"))
    bob.look("invoice-void")
    open_editor(bob, server, "edith")
    bob.button("All Past").click()
    holds(bob, server, "long_ago", "older", "recent")


@pytest.mark.parametrize(
    ("client", "label", "heading"),
    [
        ("sam", "Save & Accept Payment", r"^Accept Payment: Sam Saver$"),
        ("stan", "Save and Stay on Invoice", r"^Invoice \d+ Open$"),
        ("prue", "Save & Print", r"^Invoice \d+$"),
    ],
)
def test_each_item_of_the_save_drop_down_leads_where_it_says(
    enter: Enter, server: Server, client: str, label: str, heading: str
) -> None:
    bob = enter("bob")
    open_editor(bob, server, client)
    bob.page.get_by_text("Save ▾").press("Enter")
    menu = bob.page.locator("details.drop[open] li")
    assert menu.all_inner_texts() == [
        "Save & Accept Payment", "Save & Add to Claims Awaiting Submission", "Save and Stay on Invoice", "Save & Print",
    ]  # fmt: skip
    bob.look(f"save-menu-{client}")
    bob.button(label).click()
    bob.sees_heading(re.compile(heading))
    bob.look(f"saved-{client}")
    if client == "sam":
        expect(bob.page.get_by_label(re.compile("^Amount optional"))).to_have_value("40.00")
    else:
        expect(bob.row("LETTER")).to_contain_text("$40.00")


def test_what_is_typed_while_an_answer_is_under_way_is_kept(enter: Enter, server: Server) -> None:
    """A slow line: the part that comes was made before, but what was typed since stands, and the total follows it."""
    bob = enter("bob")
    open_editor(bob, server, "swantje")
    holds(bob, server, "older", "recent")
    held: list[Route] = []
    bob.page.route("**/invoices/new/**", lambda route: route.continue_() if held else held.append(route))
    bob.button(f"Take 9T001 Talk of {us(server, 13)} off this invoice").click()
    bob.page.get_by_label(f"Units, 9T001 Talk, {us(server, 6)}").fill("3")
    bob.page.get_by_label("Notes on the invoice").fill("Typed meanwhile")
    while not held:
        bob.page.wait_for_timeout(10)
    held[0].continue_()
    holds(bob, server, "recent")
    expect(bob.page.get_by_label(f"Units, 9T001 Talk, {us(server, 6)}")).to_have_value("3")
    expect(bob.page.get_by_label("Notes on the invoice")).to_have_value("Typed meanwhile")
    expect(tile(bob, "Total")).to_contain_text("$450.00")


def test_a_change_in_the_moment_a_part_came_counts(enter: Enter, server: Server) -> None:
    """As fast as a script: no moment after a swap in which the new fields are not listened to."""
    bob = enter("bob")
    open_editor(bob, server, "swantje")
    bob.page.evaluate(
        """id => document.addEventListener("htmx:afterSwap", () => setTimeout(() => {
            const units = document.getElementById(id);
            if (units.value === "2") return;
            units.value = "2";
            units.dispatchEvent(new Event("change", { bubbles: true }));
        }))""",
        bob.page.get_by_label(f"Units, 9T001 Talk, {us(server, 6)}").get_attribute("id"),
    )
    bob.button("All Past").click()
    expect(tile(bob, "Total")).to_have_text("$450.00")


def test_the_editor_without_scripts(enter: Enter, server: Server) -> None:
    bob = enter("bob", scripts=False)
    open_editor(bob, server, "nico")
    bob.button("All Past").click()
    expect(lines(bob)).to_have_count(3)
    bob.button("Recent 30 Days").click()
    bob.button(f"Take LETTER Letter of {us(server, 11)} off this invoice").click()
    expect(lines(bob)).to_have_count(1)
    bob.button("Put back").click()
    expect(lines(bob)).to_have_count(2)
    bob.button(f"Take LETTER Letter of {us(server, 11)} off this invoice").click()
    add_item(bob, server, name="Report", days_ago=50, rate="25")
    bob.button("Save").click()
    bob.sees(re.compile("An item looks like a date of service that is not billed yet"))  # nobody had been told
    bob.button("Link it instead").click()
    expect(lines(bob)).to_have_count(2)
    bob.page.get_by_text("Save ▾").click()
    bob.button("Save and Stay on Invoice").click()
    bob.sees_heading(re.compile(r"^Invoice \d+ Open$"))
    expect(bob.row("Total").last).to_contain_text("$80.00")
    open_editor(bob, server, "nico")
    expect(lines(bob)).to_have_count(1)


def open_editor(visitor: Visitor, server: Server, client: str) -> None:
    """From the Ledger, by its button."""
    visitor.open(f"{server.client(client)}/ledger/")
    visitor.link("New Invoice").first.click()
    visitor.sees_heading(re.compile("^New Invoice: "))


def add_item(
    visitor: Visitor, server: Server, *, days_ago: int, name: str = "", service: str = "", rate: str = ""
) -> None:
    """Add an Invoice Item and fill it in."""
    visitor.button("Add an Invoice Item").click()
    item = visitor.page.get_by_role("group", name="Item 1")
    if service:
        item.get_by_label("Service type").select_option(service)
    if name:
        item.get_by_label("Name").fill(name)
    if rate:
        item.get_by_label("Rate").fill(rate)
    item.get_by_label("Date of service").fill(server.day(days_ago).isoformat())
    item.get_by_label("Date of service").press("Tab")


def holds(visitor: Visitor, server: Server, *names: str) -> None:
    """The editor holds exactly these of Edith's dates, in this order."""
    days = {"long_ago": 45, "older": 13, "recent": 6, "to_come": -9}
    expect(lines(visitor)).to_contain_text([us(server, days[name]) for name in names])
    expect(lines(visitor)).to_have_count(len(names))


def lines(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("region", name="Lines").locator("tbody").get_by_role("row")


def invoices(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("region", name="Invoices").locator("tbody")


def filters(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("group", name="Which dates").get_by_role("button")


def tile(visitor: Visitor, label: str) -> Locator:
    """The figure of a tile."""
    return visitor.page.locator(".tile").filter(has=visitor.page.get_by_text(label, exact=True)).locator("dd")


def us(server: Server, days_ago: int) -> str:
    return f"{server.day(days_ago):%m/%d/%Y}"


def test_save_and_add_to_claims_awaiting_submission_and_take_it_back(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    open_editor(bob, server, "carmen")
    bob.page.get_by_text("Save ▾").press("Enter")
    bob.button("Save & Add to Claims Awaiting Submission").click()
    bob.sees(re.compile(r"^Invoice \d+ is in Claims Awaiting Submission"))
    bob.open("/alder/billing/claims/")
    bob.sees_heading("Claims Awaiting Submission")
    row = bob.row("Claimed, Carmen")
    expect(row).to_contain_text("$130.00")
    bob.look("claims-waiting")
    bob.button(re.compile("^Take back the claim of Claimed, Carmen")).click()
    bob.sees("The claim was taken back")
    bob.sees("No claim awaits submission")
    bob.look("claims-none")
