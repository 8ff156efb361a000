"""A change of status: who initiated it, what it costs, said before; the policy behind it; a billed visit (S1, S5)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .conftest import Enter
from .server import Server
from .visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
POLICY = "/alder/organization/cancellation-policy/"


def test_a_fee_is_asked_for_waived_with_a_reason_and_charged(enter: Enter) -> None:
    dan = enter("dan")
    dan.open("/alder/agenda/")
    row = dan.row("Status, Stella")
    dan.link("Change status of Status, Stella", row).click()
    dan.sees_heading(re.compile("^Change status: Status, Stella"))
    dan.look("change-status")
    # By keyboard: the status that stands has the focus, the arrows choose, Enter saves.
    dan.page.keyboard.press("ArrowDown")
    dan.page.keyboard.press("ArrowDown")
    expect(dan.page.get_by_role("radio", name=re.compile("^No Show"))).to_be_checked()
    expect(dan.page.get_by_role("group", name=re.compile("^Fee"))).to_be_visible()
    dan.page.keyboard.press("Enter")
    dan.sees(re.compile("Charge the fee, or say why it is waived"))
    dan.look("change-status-refused")
    dan.page.get_by_role("radio", name="Waive fee").check()
    dan.page.get_by_label(re.compile("^Reason for waiving")).fill("First time")
    dan.look("change-status-waived")
    dan.button("Save").click()
    dan.sees("The status was changed.")
    expect(row).to_contain_text("No Show")
    expect(row).to_be_focused()  # back where the work goes on
    dan.page.keyboard.press("s")
    dan.sees_heading(re.compile("^Change status: Status, Stella"))
    expect(dan.page.get_by_label(re.compile("^Reason for waiving"))).to_have_value("First time")
    dan.page.get_by_role("radio", name="Charge the fee").check()
    dan.button("Save").click()
    expect(row).to_contain_text("NOSHOW Missed appointment")


def test_without_scripts_every_choice_is_there_and_says_what_it_does(enter: Enter) -> None:
    bob = enter("bob", scripts=False)
    bob.open("/alder/agenda/")
    bob.link("Change status of Status, Steen", bob.row("Status, Steen")).click()
    expect(bob.page.get_by_role("radio", name=re.compile("^No Show"))).to_have_accessible_name(
        re.compile(r"If charged, will add 1 × Missed appointment \$75\.00, billed to the client\.")
    )
    bob.page.get_by_role("radio", name=re.compile("^Late Cancel")).check()
    bob.page.get_by_role("radio", name="Client", exact=True).check()
    bob.page.get_by_role("radio", name="Charge the fee").check()
    bob.button("Save").click()
    bob.sees("The status was changed.")
    expect(bob.row("Status, Steen")).to_contain_text("LATE Canceled late")


def test_the_policy_makes_a_cancellation_late_and_charges_by_itself(enter: Enter) -> None:
    alice = enter("alice")
    alice.open("/alder/organization/settings")
    alice.link("Edit the cancellation policy").click()
    alice.sees_heading("Cancellation policy")
    _set_policy(alice, hours="24", late_cancel="Charge unless waived")
    alice.sees("The cancellation policy was saved.")
    expect(alice.page.get_by_role("region", name="Cancellation policy")).to_contain_text("charged unless waived")
    alice.look("settings-with-a-policy")
    try:
        _cancel_late(enter("bob"))
    finally:
        alice.open(POLICY)
        _set_policy(alice, hours="0", late_cancel="Ask each time")
        alice.sees("The cancellation policy was saved.")


def _set_policy(alice: Visitor, *, hours: str, late_cancel: str) -> None:
    alice.page.get_by_label("Hours of notice").fill(hours)
    alice.page.get_by_label("Late Cancel: charged").select_option(late_cancel)
    alice.look("cancellation-policy")
    alice.button("Save").click()


def _cancel_late(bob: Visitor) -> None:
    """A visit of today, canceled by the client: less than 24 hours are left, whatever the time is."""
    bob.open("/alder/agenda/")
    row = bob.row("Status, Sila")
    bob.link("Change status of Status, Sila", row).click()
    late = bob.page.get_by_role("radio", name=re.compile("^Late Cancel"))
    expect(late).to_have_accessible_name(
        re.compile(r"By the policy.*Will add 1 × Canceled late \$50\.00, billed to the client, unless it is waived\.")
    )
    bob.page.get_by_role("radio", name=re.compile("^Canceled")).check()
    bob.page.get_by_role("radio", name="Client", exact=True).check()
    bob.look("change-status-late")
    bob.button("Save").click()
    bob.sees(re.compile("this is a Late Cancel"))
    late.check()
    bob.button("Save").click()
    bob.sees("The status was changed.")
    expect(row).to_contain_text("Late Cancel")
    expect(row).to_contain_text("LATE Canceled late")


def test_a_billed_visit_leads_to_its_invoice_and_void_and_rebill(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    bob.open(f"/alder/visits/{server.practice['everything']['billed_visit']}/status/")
    bob.sees(re.compile("its status and its other facts are frozen"))
    bob.look("change-status-frozen")
    bob.link("Void and rebill").click()
    bob.sees_heading("Void and rebill")
