"""Automation (issue 4, B12): switched on, tried dry, a rule with its reason, a night and its page."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from playwright.sync_api import Locator, expect

from tests.plugin import ROOT

from .conftest import Enter
from .server import Server
from .visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def run(server: Server, what: str) -> None:
    """See night.py."""
    command = [sys.executable, "-m", "tests.journeys.night", what]
    done = subprocess.run(command, cwd=ROOT, env=server.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_night_is_switched_on_tried_dry_lived_through_and_read(enter: Enter, server: Server) -> None:
    run(server, "prepare")
    charlie = enter("charlie")
    page = charlie.page
    charlie.open("/birch/organization/automation/")
    charlie.sees("Automation is off")
    charlie.sees("Not available yet")  # Submit claims
    charlie.link("Edit").click()
    page.get_by_label("Create invoices").check()
    page.get_by_label("Look back, in days").fill("90")
    charlie.button("Save").click()
    charlie.sees("The settings were not saved")
    charlie.look("automation-refused")
    page.get_by_label("Look back, in days").fill("1")
    page.get_by_label("Charlie Stranger").check()
    charlie.button("Save").click()
    charlie.sees("The settings of automation were saved.")
    charlie.link("Dry Run").click()
    charlie.sees_heading("Dry Run")
    expect(charlie.row("Letterman, Nora").first).to_contain_text("$40.00")
    charlie.sees(re.compile("has no AMA CPT license"))
    charlie.look("automation-dry-run")
    charlie.open("/birch/organization/automation/rules/new/")
    page.get_by_label("Why").fill("Talk is billed by hand until the license is there")
    page.get_by_label("Service type").select_option(label="9N001 Talker")
    charlie.button("Save").click()
    charlie.sees("The rule holds from the next night on.")
    charlie.look("automation-set")
    run(server, "night")
    charlie.open("/birch/organization/automation/")
    nights = page.get_by_role("region", name="Nights")
    nights.get_by_role("link").first.click()
    charlie.sees_heading(re.compile("^Night of "))
    expect(charlie.row("Talker, Nora")).to_contain_text("Talk is billed by hand until the license is there")
    expect(invoices_of_the_night(charlie)).to_be_visible()
    charlie.look("automation-night")
    charlie.link(re.compile("^Invoices of this night")).click()
    expect(charlie.row("Letterman, Nora")).to_contain_text("$40.00")
    expect(charlie.link("Undo batch")).to_be_visible()


def invoices_of_the_night(person: Visitor) -> Locator:
    """The link to the night's invoices, once the server's worker has made them."""
    link = person.link(re.compile("^Invoices of this night"))
    person.reload_until(lambda _: link.is_visible())
    return link
