"""A practice of its own: away for an hour with a form half typed; a second step that everybody needs."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.people import PASSWORD

from .conftest import Enter
from .server import ROOT, Server
from .visitor import Visitor, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def _program(server: Server, *arguments: str) -> None:
    environment = server.environment | {"DAYSHEET_OWNER_PASSWORD": PASSWORD}
    subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, env=environment, check=True, capture_output=True)


def _owner_of(server: Server, enter: Enter, slug: str) -> Visitor:
    """Olga, signed in, whose practice nobody else uses."""
    email = f"olga@{slug}.example"
    names = ["--owner-first-name", "Olga", "--owner-last-name", "Owner", "--owner-email", email]
    _program(server, "daysheet", "create-practice", slug, "--name", slug.title(), *names)
    olga = enter()
    sign_in(olga, email)
    return olga


def _an_hour_passes(server: Server, visitor: Visitor) -> None:
    (session,) = [each for each in visitor.context.cookies() if each["name"] == "sessionid"]
    _program(server, "tests.journeys.away", str(session["value"]))


def test_after_an_hour_the_password_and_what_was_typed_is_saved(server: Server, enter: Enter) -> None:
    olga = _owner_of(server, enter, "paused")
    olga.open("/paused/clients/add")
    olga.page.get_by_label("First name").fill("Pauline")
    olga.page.get_by_label("Last name").fill("Pausé")
    _an_hour_passes(server, olga)
    olga.button("Save").click()
    olga.sees_heading("Still you?")
    olga.look("still-you")
    olga.page.get_by_label("Password").fill("not the password")
    olga.button("Go on").click()
    olga.sees("This is not your password.")
    olga.look("still-you-refused")
    olga.page.get_by_label("Password").fill(PASSWORD)
    olga.button("Go on").click()
    olga.sees_heading(re.compile("Pauline Pausé"))


def test_after_an_hour_a_button_in_a_form_keeps_the_form(server: Server, enter: Enter) -> None:
    """What such a button sends without loading the page anew is not thrown away for the password."""
    olga = _owner_of(server, enter, "halted")
    olga.open("/halted/clients/add")
    olga.page.get_by_label("First name").fill("Halina")
    olga.page.get_by_label("Last name").fill("Half")
    olga.button("Save").click()
    olga.sees_heading(re.compile("Halina Half"))
    (client,) = re.findall("/clients/([0-9a-f-]{36})/", olga.page.url)
    olga.open(f"/halted/clients/{client}/invoices/new/")
    with olga.page.expect_response(re.compile("invoices/new")):
        olga.page.get_by_label("Notes on the invoice").fill("Half typed & kept")
        olga.page.keyboard.press("Tab")
    _an_hour_passes(server, olga)
    olga.button("Add an Invoice Item").click()
    olga.sees_heading("Still you?")
    expect(olga.page.get_by_label("Password")).to_be_focused()
    olga.look("still-you-over-a-form")
    olga.page.get_by_label("Password").fill(PASSWORD)
    olga.button("Go on").click()
    olga.sees_heading(re.compile("^New Invoice: "))
    expect(olga.page.get_by_label("Notes on the invoice")).to_have_value("Half typed & kept")
    expect(olga.page.get_by_role("group", name="Item 1")).to_be_visible()


def test_a_page_after_an_hour_comes_back_after_the_password(server: Server, enter: Enter) -> None:
    olga = _owner_of(server, enter, "rested")
    _an_hour_passes(server, olga)
    olga.open("/rested/organization/settings")
    olga.sees_heading("Confirm that it is you")
    olga.page.get_by_label("Password").fill(PASSWORD)
    olga.button("Confirm").click()
    olga.sees_heading("Settings")


def test_everybody_needs_a_second_step(server: Server, enter: Enter) -> None:
    olga = _owner_of(server, enter, "guarded")
    olga.open("/guarded/organization/settings")
    olga.page.get_by_role("region", name="Signing in").get_by_role("link", name="Change").click()
    olga.sees_heading("Signing in")
    olga.page.get_by_label(re.compile("Minutes until")).fill("4")
    olga.button("Save").click()
    olga.sees("The rules were not saved")
    olga.look("sign-in-rules-refused")
    olga.page.get_by_label(re.compile("Minutes until")).fill("20")
    olga.page.get_by_label("Everybody needs a second step").check()
    olga.button("Save").click()
    olga.sees_heading("Two-step sign-in")
    olga.sees("Guarded asks for a second step of signing in.")
    olga.look("second-step-needed")
    olga.link("Turn on").click()
    olga.page.wait_for_url(re.compile("/account/(2fa/totp/activate|reauthenticate)/"))
