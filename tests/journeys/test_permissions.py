"""Who sees what (P1, P2): no money without Billing, only assigned clients, nothing of another practice; a permission
that is taken away while its holder works; and the keys that everybody has."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, expect

from daysheet.practices.permissions import allows
from tests.architecture.test_role_matrix import NEEDS, PUBLIC

from .conftest import Enter
from .server import Server
from .staff import ASSIGNED
from .test_sweep import ELSEWHERE, PAGES, URLS, addresses
from .visitor import Visitor, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
#: What money looks like, and the words that only speak of it.
MONEY = re.compile(
    r"\$\s?\d|\d\.\d\d\b|Balance Due|Client Credit|Primary Copay|unbilled|Add Invoice|Apply Payment|New Invoice",
    re.IGNORECASE,
)


def test_the_front_desk_sees_no_money_on_the_pages_it_may_open(enter: Enter, server: Server) -> None:
    dan = enter("dan")
    dan.open("/alder/agenda/")
    top = dan.page.get_by_role("navigation", name="Main").get_by_role("link")
    expect(top).to_have_text(["Schedule", "Clients"])
    expect(dan.row("Agenda, Abel")).to_be_visible()
    dan.look("agenda-without-billing")
    for name in sorted(PAGES):
        if name in NEEDS and allows(frozenset(), NEEDS[name]) and "add" not in name:
            sees_no_money(dan, server, name)
    dan.open(f"{server.client('swan')}/")
    dan.sees_heading("Swan Sweep")
    menu = dan.page.get_by_role("navigation", name="Client")
    expect(menu.get_by_role("link")).to_have_text(["Details", "Appointments"])
    dan.look("details-without-billing")
    find(dan, "Swan Sweep")
    expect(found(dan)).to_have_count(1)
    assert not MONEY.search(found(dan).inner_text())


def test_the_front_desk_gets_no_money_by_its_address(enter: Enter, server: Server) -> None:
    alice, dan = enter("alice"), enter("dan")
    wrong = []
    for name in sorted(NEEDS):
        expected = {200, 405} if allows(frozenset(), NEEDS[name]) else {403, 405}
        for address in every_address(server, name, alice):
            status = dan.status_of(address)
            if status not in expected:
                wrong.append((address, status))
    assert wrong == []
    dan.open(f"{server.client('swan')}/ledger/")
    dan.sees_heading(re.compile("not allowed|permission", re.IGNORECASE))
    dan.look("ledger-without-billing")


def test_a_clinician_limited_to_assigned_clients_sees_only_those(enter: Enter, server: Server) -> None:
    liam = enter("liam")
    liam.open("/alder/clients/")
    rows = liam.page.get_by_role("main").locator("tbody").get_by_role("row")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Assignment, Asa")
    liam.look("clients-assigned")
    find(liam, "Assignment")
    expect(found(liam)).to_have_count(1)
    expect(found(liam)).to_contain_text("Asa")
    day = server.day(ASSIGNED)
    for address in (f"/alder/agenda/?day={day}", f"/alder/calendar/?day={day}"):
        liam.open(address)
        text = liam.page.get_by_role("main").inner_text()
        assert "Asa" in text, f"{address} does not show the assigned client"
        assert "Uma" not in text, f"{address} shows another member of the group"
        assert "Ute" not in text, f"{address} shows somebody else's client"
    liam.open(f"/alder/agenda/?day={day}")
    liam.look("agenda-assigned")
    assert dead_links(liam) == []
    # What concerns all members of a group is not for somebody who may not see all of them.
    assert liam.status_of(f"/alder/appointments/{server.practice['appointments']['asas_group']}/") == 404
    for first in ("uma", "ute"):
        for page in ("", "edit", "appointments/"):
            assert liam.status_of(f"{server.client(first)}/{page}") == 404
    assert liam.status_of(f"/alder/visits/{server.visit('ute')}/status/") == 404
    assert liam.status_of(f"/alder/appointments/{server.practice['appointments']['ute']}/") == 404


def test_another_practice_does_not_exist_for_a_stranger(enter: Enter, server: Server) -> None:
    alice, charlie = enter("alice"), enter("charlie")
    wrong = []
    for name in sorted(set(PAGES) - set(PUBLIC)):
        for address in every_address(server, name, alice):
            status = charlie.status_of(address)
            if status != 404:
                wrong.append((address, status))
        # An uploaded file is looked for among one's own: where there is none, its address leads to the upload.
        # A step of the first hour and a page or picture of the guide are words, not objects.
        if set(URLS[name]) - {"practice", "kind", "sha256", "step", "page", "picture"}:  # an object of Alder, at Birch
            ids = {**server.practice["everything"], "practice": "birch"}
            address = reverse(name, kwargs={parameter: ids.get(parameter, uuid4()) for parameter in URLS[name]})
            status = charlie.status_of(address)
            if status not in (404, 405):
                wrong.append((address, status))
    assert wrong == []
    charlie.open(f"{server.client('abel')}/")
    there = words(charlie)
    charlie.open("/no-such-practice/clients/")
    assert words(charlie) == there  # nothing tells one from the other
    charlie.look("another-practice")
    charlie.open("/")
    charlie.sees_heading(re.compile("^Agenda, "))
    charlie.open("/birch/clients/")
    expect(charlie.page.get_by_role("main")).not_to_contain_text("Agenda, Abel")


def test_a_permission_taken_away_ends_the_session_and_says_so(enter: Enter) -> None:
    vera, alice = enter("vera"), enter("alice")
    vera.open("/alder/billing/batch-invoicing/")
    vera.sees_heading("Batch Invoicing")
    alice.open("/alder/staff")
    alice.link("Visitor, Vera").click()
    alice.link("Edit").click()
    alice.sees("A change of permissions, limit or activity signs Vera Visitor out everywhere.")
    alice.page.get_by_label("Billing", exact=True).uncheck()
    alice.button("Save").click()
    alice.sees_heading("Vera Visitor")
    vera.link("History").click()
    vera.sees_heading("Sign in")
    vera.sees(re.compile("^You were signed out, because your permissions or your password were changed"))
    vera.look("signed-out")
    vera.open("/alder/agenda/")
    expect(vera.page.get_by_text("You were signed out")).to_have_count(0)  # told once
    sign_in(vera, "vera@alder.example")
    expect(vera.link("Billing")).to_have_count(0)
    assert vera.status_of("/alder/billing/batch-invoicing/") == 403


def test_everything_is_in_reach_of_the_keyboard(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    keyboard = bob.page.keyboard
    bob.open("/alder/clients/")
    keyboard.press("?")
    help_ = bob.page.get_by_role("dialog", name=re.compile("Keyboard|Keys"))
    expect(help_).to_be_visible()
    bob.look("keyboard-help")
    keyboard.press("Escape")
    expect(help_).to_have_count(0)

    keyboard.press("g")
    keyboard.press("a")
    bob.sees_heading(re.compile("^Agenda, "))
    keyboard.press("/")
    search = bob.page.get_by_role("combobox", name="Find a client")
    expect(search).to_be_focused()
    keyboard.type("jagb?/")  # letters are letters while somebody types
    expect(search).to_have_value("jagb?/")
    search.fill("")
    with bob.page.expect_response(re.compile(r"/clients/search\?q=Abel$")):
        keyboard.type("Abel")
    expect(found(bob)).to_have_count(1)
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    bob.sees_heading(re.compile("Abel Agenda"))

    keyboard.press("g")
    keyboard.press("b")
    bob.sees_heading("Batch Invoicing")
    bob.open(f"/alder/billing/batch-invoicing/?from_on={server.day(ASSIGNED)}&to_on={server.day(ASSIGNED)}")
    rows = bob.page.get_by_role("region", name="Unbilled dates of service").locator("[data-row]")
    keyboard.press("j")
    expect(rows.nth(0)).to_be_focused()
    keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    keyboard.press("k")
    expect(rows.nth(0)).to_be_focused()
    tick = rows.nth(0).get_by_role("checkbox")
    expect(tick).to_be_checked()
    keyboard.press("x")
    expect(tick).not_to_be_checked()
    expect(rows.nth(0)).to_be_focused()
    bob.sees("3 selected, $120.00")

    bob.open("/alder/clients/?q=Swan")
    keyboard.press("j")
    keyboard.press("Enter")
    bob.sees_heading(re.compile("Swan Sweep"))


def found(person: Visitor) -> Locator:
    """The clients that the search of the top bar offers."""
    return person.page.get_by_role("listbox", name="Clients found").get_by_role("option")


def find(person: Visitor, text: str) -> None:
    """Type into the client search of the top bar, and wait for what it finds."""
    person.page.keyboard.press("/")
    with person.page.expect_response(re.compile("/clients/search")):
        person.page.keyboard.type(text)


def words(person: Visitor) -> str:
    """The page's text without the reference, which is new each time."""
    return person.page.get_by_role("main").inner_text().partition("Reference")[0]


def dead_links(person: Visitor) -> list[str]:
    """Links of the page that lead this person nowhere."""
    links = person.page.get_by_role("main").get_by_role("link")
    hrefs = links.evaluate_all("(all) => all.map((each) => each.getAttribute('href'))")
    return [href for href in dict.fromkeys(hrefs) if href.startswith("/") and person.status_of(href) != 200]


def every_address(server: Server, name: str, owner: Visitor) -> list[str]:
    """As the sweep makes them; where only a card processor makes the object, of one that there is not."""
    if name not in ELSEWHERE:
        return addresses(server, name, owner)
    ids = {**server.practice["everything"], "practice": "alder"}
    return [reverse(name, kwargs={parameter: ids.get(parameter, uuid4()) for parameter in URLS[name]})]


def sees_no_money(person: Visitor, server: Server, name: str) -> None:
    """The page's whole text, hidden parts and form fields included, speaks of no money."""
    for address in addresses(server, name, person):
        answer = person.context.request.get(server.url + address)
        if answer.status == 405:
            continue
        assert answer.status == 200, f"{address} answers {answer.status}"
        if answer.headers["content-type"].startswith("image/"):
            continue
        found = MONEY.search(answer.text())
        assert found is None, f"{address} shows {found.group()!r}"
