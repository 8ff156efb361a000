"""From an empty server to the first invoice (issue 4, First hour): how many pages and clicks that takes, that nothing
has to be known beforehand, and that it goes by keyboard alone and on a phone."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, expect

from tests.people import PASSWORD
from tests.plugin import ROOT

from .server import Server, running_server
from .visitor import DESK, PHONE, Visitor, sign_in, visitor_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
#: What a person types, by the label that the page gives it: nothing else is filled in.
WELCOME = {
    "Practice name": "Juniper Counseling", "Your first name": "Juno", "Your last name": "Owner",
    "Your e-mail": "juno@first.example", "Password": PASSWORD,
}  # fmt: skip
STEPS = {
    "Your practice": {
        "NPI": "1234567893", "Tax ID": "12-3456789", "Address": "1 Main Street", "City": "Albany", "State": "NY",
        "ZIP code": "12207",
    },
    "What you bill": {"Code": "9T001", "Name": "Talk", "Rate per unit": "150"},
    "You as a provider": {"Credentials": "LCSW", "Your NPI": "1245319599", "Fee of the AMA for the year": "21.50"},
    "First client": {"First name": "Ana", "Last name": "Ruiz", "Birth date": "1990-02-03"},
    "First appointment": {},
}  # fmt: skip


@dataclass
class Tally:
    """What the way cost: pages that were shown, clicks (or Enter) and fields typed into."""

    pages: int = 0
    clicks: int = 0
    typed: int = 0
    seen: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def new_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Just installed: no practice, nobody."""
    with running_server(tmp_path_factory.mktemp("first_invoice"), is_empty=True) as running:
        yield running


@pytest.fixture
def window(new_server: Server, browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """Somebody's window at the new server; whatever goes wrong in it fails the journey."""
    visitors: list[Visitor] = []

    def open_window(size: dict[str, int] = DESK, *, scripts: bool = True) -> Visitor:
        context = browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            color_scheme="light",
            reduced_motion="reduce",
            java_script_enabled=scripts,
        )
        visitors.append(visitor_in(new_server, context))
        return visitors[-1]

    yield open_window
    faults = [fault for visitor in visitors for fault in visitor.faults]
    for visitor in visitors:
        visitor.context.close()
    assert not faults, "\n".join(faults)


def test_from_an_empty_server_to_the_first_invoice(window: Callable[..., Visitor]) -> None:
    owner = window()
    tally = Tally()
    owner.page.on("load", lambda: setattr(tally, "pages", tally.pages + 1))
    owner.open("/")
    owner.sees_heading("Welcome to Daysheet")
    fill(owner, WELCOME, tally)
    click(owner, "Create the practice", tally)
    for heading, typed in STEPS.items():
        owner.sees_heading(heading)
        owner.look(f"first-{heading.lower().replace(' ', '-')}")
        fill(owner, typed, tally)
        click(owner, "Save and continue", tally)
    owner.sees_heading("First invoice")
    owner.look("first-first-invoice")
    click(owner, re.compile("^Add Invoice"), tally)
    owner.sees_heading("You are ready to bill")
    owner.sees(re.compile("Invoice 1 of "))
    owner.look("first-reached")
    # Seven forms, each answered once: eight pages from the bare address to the invoice, one click on each but the last.
    assert (tally.pages, tally.clicks, tally.typed) == (8, 7, 20)
    owner.link("Open the invoice").click()
    owner.sees_heading(re.compile("Invoice 1"))
    owner.sees("$150.00")
    owner.open("/juniper-counseling/agenda/")
    expect(owner.page.get_by_text("Getting started")).to_have_count(0)


def test_the_same_by_keyboard_alone(window: Callable[..., Visitor], new_server: Server) -> None:
    owner = window()
    make_practice(new_server, "keys")
    sign_in(owner, "keys@first.example")
    owner.sees("Getting started: 0 of 6 done")
    press_to(owner, "Continue")
    for heading, typed in STEPS.items():
        owner.sees_heading(heading)
        for label, text in typed.items():
            tab_to(owner, label)
            owner.page.keyboard.type(text if "-" not in text or label != "Birth date" else "02031990")
        if heading == "First client":  # the keyboard's own way through a date
            expect(owner.page.get_by_label("Birth date")).to_have_value("1990-02-03")
        owner.page.keyboard.press("Enter") if typed else press_to(owner, "Save and continue")
    owner.sees_heading("First invoice")
    expect(owner.page.locator("button:focus")).to_have_text(re.compile(r"^\s*Add Invoice"))  # the one thing to do
    owner.page.keyboard.press("Enter")
    owner.sees_heading("You are ready to bill")


def test_the_same_on_a_phone_without_scripts_with_steps_skipped_and_resumed(
    window: Callable[..., Visitor], new_server: Server
) -> None:
    owner = window(PHONE, scripts=False)
    make_practice(new_server, "phone")
    sign_in(owner, "phone@first.example")
    owner.link("Continue").click()
    owner.sees_heading("Your practice")
    owner.button("Skip this step").click()
    owner.sees_heading("What you bill")
    owner.button("Put the guide away").click()
    owner.sees("The guide was put away")
    owner.open("/phone/organization/settings")
    owner.button("Take the guide up again").click()
    owner.sees_heading("What you bill")
    owner.link(re.compile("^6. First invoice")).click()
    owner.sees("There is nothing to bill yet")
    owner.link("First appointment").click()
    owner.sees("Still missing")
    for heading, typed in list(STEPS.items())[1:4]:
        owner.open("/phone/getting-started/")
        owner.sees_heading(heading)
        fill(owner, typed, Tally())
        owner.button("Save and continue").click()
    owner.sees("Still missing")
    owner.link("Your practice", owner.page.get_by_role("main")).click()  # an appointment needs a place
    fill(owner, STEPS["Your practice"], Tally())
    owner.button("Save and continue").click()
    owner.sees_heading("First appointment")
    owner.button("Save and continue").click()
    owner.button(re.compile("^Add Invoice")).click()
    owner.sees_heading("You are ready to bill")


def make_practice(server: Server, slug: str) -> None:
    """One more practice on the same server, as whoever runs it makes one."""
    subprocess.run(
        [sys.executable, "-m", "daysheet", "create-practice", slug, "--name", slug.title(), "--owner-email",
         f"{slug}@first.example", "--owner-first-name", "Juno", "--owner-last-name", "Owner"],
        cwd=ROOT, env=server.environment | {"DAYSHEET_OWNER_PASSWORD": PASSWORD}, check=True,
        capture_output=True,
    )  # fmt: skip


def fill(person: Visitor, typed: dict[str, str], tally: Tally) -> None:
    """Type what the page asks for, found by its labels alone."""
    for label, text in typed.items():
        person.page.get_by_label(re.compile(rf"^{label}( optional)?$")).fill(text)
        tally.typed += 1


def click(person: Visitor, name: str | re.Pattern[str], tally: Tally) -> None:
    person.button(name).click()
    tally.clicks += 1


def tab_to(person: Visitor, label: str) -> None:
    """Tab until the field of this label has the focus."""
    wanted = person.page.get_by_label(re.compile(rf"^{label}( optional)?$"))
    for _ in range(60):
        if wanted.evaluate("each => each === document.activeElement"):
            return
        person.page.keyboard.press("Tab")
    raise AssertionError(f"{label} is not reached with Tab")


def press_to(person: Visitor, name: str) -> None:
    """Tab until the link or button of this name has the focus, and press Enter."""
    for _ in range(60):
        if person.page.evaluate("document.activeElement.textContent.trim()") == name:
            person.page.keyboard.press("Enter")
            return
        person.page.keyboard.press("Tab")
    raise AssertionError(f"{name} is not reached with Tab")
