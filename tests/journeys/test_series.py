"""Series (S3) and groups that change (S4): made, moved, edited from a date on, canceled; a late joiner."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, expect

from .conftest import Enter
from .server import Server
from .visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def _appointment(server: Server, name: str) -> str:
    return f"/alder/appointments/{server.practice['appointments'][name]}/"


def _rows(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("region", name="Appointments of the series").locator("tbody").get_by_role("row")


def _new_weekly(dan: Visitor, server: Server, *, first_name: str, count: str) -> None:
    """The form of New Appointment, filled in for a weekly series that begins in ten days."""
    dan.open(f"/alder/appointments/new/?client={server.practice['clients'][first_name]}")
    dan.sees_heading("New Appointment")
    dan.page.get_by_label("Date", exact=True).fill((server.day() + timedelta(days=10)).isoformat())
    dan.page.get_by_label("Start").fill("16:30")
    dan.page.get_by_label("Provider").select_option("Otto Later")
    dan.page.get_by_label("Location").select_option("Main office")
    dan.page.get_by_label(re.compile("^Place of service")).select_option(label="Telehealth at home (10)")
    dan.page.get_by_label(re.compile("^Repeats")).select_option("Weekly")
    dan.page.get_by_label(re.compile("^Number of appointments")).fill(count)
    dan.page.get_by_label(re.compile("^Service 1")).select_option("LETTER Letter")


def test_a_weekly_series_is_checked_made_and_one_of_it_moved(enter: Enter, server: Server) -> None:
    dan = enter("dan")
    dan.open(f"/alder/appointments/new/?client={server.practice['clients']['serena']}")
    expect(dan.page.get_by_label(re.compile("^Number of appointments"))).to_be_hidden()
    dan.look("new-appointment")
    _new_weekly(dan, server, first_name="serena", count="5")
    expect(dan.page.get_by_role("group", name=re.compile("^On"))).to_be_visible()
    dan.look("new-series")
    dan.button("Check dates and conflicts").click()
    preview = dan.page.locator("#preview")
    expect(preview).to_contain_text("5 appointments, ")
    expect(preview.get_by_role("listitem")).to_have_count(5)
    expect(preview).to_contain_text("No conflicts")
    dan.look("new-series-checked")
    dan.button("Save").last.click()
    dan.sees(re.compile(r"^5 appointments were added, "))
    dan.sees_heading("Series: Series, Serena")
    expect(_rows(dan)).to_have_count(5)
    dan.look("series")

    third = _rows(dan).nth(2)
    third.get_by_role("link").click()
    dan.link("Move").click()
    dan.sees_heading(re.compile("^Move appointment, "))
    day = server.day() + timedelta(days=10 + 7 + 7 + 1)
    dan.page.get_by_label(re.compile("^Date")).fill(day.isoformat())
    dan.page.get_by_label(re.compile("^Start")).fill("09:15")
    dan.look("move")
    dan.button("Move").click()
    dan.sees(f"The appointment was moved to {day:%m/%d/%Y} at 9:15 AM.")
    row = dan.row("Series, Serena")
    expect(row).to_contain_text("9:15 AM")
    expect(row).to_contain_text("Telehealth at home")
    row.get_by_role("link", name="9:15 AM").click()
    dan.link("Series").click()
    expect(_rows(dan).nth(2)).to_contain_text("Stays: changed on its own")
    expect(_rows(dan).nth(2)).to_contain_text("instead of")


def test_this_and_following_is_changed_and_the_billed_one_stays(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    bob.open(_appointment(server, "sam_0"))
    bob.page.get_by_label("Start").fill("11:00")
    bob.page.get_by_label(re.compile(r"This and following \(6\)")).check()
    bob.button("Check dates and conflicts").click()
    preview = bob.page.locator("#preview")
    expect(preview).to_contain_text("5 appointments would be changed. Left as they are: 1 billed.")
    bob.look("edit-following")
    bob.button("Save").last.click()
    bob.sees("5 appointments were changed. Left as they are: 1 billed.")
    rows = _rows(bob)
    expect(rows.nth(1)).to_contain_text("3:00 PM")
    expect(rows.nth(1)).to_contain_text("Stays: billed")
    expect(rows.nth(2)).to_contain_text("11:00 AM")
    bob.look("series-with-a-billed-one")
    bob.page.get_by_label(re.compile("^Or number of appointments more")).fill("2")
    bob.button("Add appointments").click()
    bob.sees("The series goes on.")
    expect(rows).to_have_count(8)
    expect(rows.nth(7)).to_contain_text("11:00 AM")


def test_all_future_is_canceled(enter: Enter, server: Server) -> None:
    dan = enter("dan")
    dan.open(_appointment(server, "quinn_2"))
    dan.link("Cancel appointment").click()
    dan.sees_heading(re.compile("^Cancel appointment, "))
    dan.page.get_by_label("All future (5)").check()
    dan.look("cancel-all-future")
    dan.button("Cancel these appointments").click()
    dan.sees(re.compile("Say who initiated it"))
    dan.look("cancel-refused")
    dan.page.get_by_label("All future (5)").check()
    dan.page.get_by_label("Practice").check()
    dan.button("Cancel these appointments").click()
    dan.sees("5 appointments were canceled.")
    dan.open(_appointment(server, "quinn_0"))
    dan.link("Series").click()
    expect(_rows(dan).filter(has_text="Canceled")).to_have_count(5)
    dan.look("series-canceled")


def test_a_weekly_series_becomes_one_of_every_other_week(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    bob.open(_appointment(server, "rhea_0"))
    bob.link("Change repetition").click()
    bob.sees_heading(re.compile("^Change repetition, "))
    bob.look("repetition")
    bob.page.get_by_label(re.compile("^Every")).fill("2")
    bob.button("Show what would change").last.click()
    preview, said = (
        bob.page.locator("#preview"),
        "2 appointments {} canceled. 3 keep their dates. Left as they are: 1 billed.",
    )
    expect(preview).to_contain_text(said.format("would be"))
    expect(preview).to_contain_text("No conflicts")
    expect(preview.get_by_role("listitem")).to_have_count(6)
    bob.look("repetition-shown")
    bob.button("Change the series").click()
    bob.sees(said.format("were"))
    bob.sees(re.compile("^Every 2 weeks on "))
    expect(_rows(bob)).to_have_count(3)
    bob.look("repetition-changed")


def test_a_late_joiner_joins_what_follows_without_scripts(enter: Enter, server: Server) -> None:
    dan = enter("dan", scripts=False)
    dan.open(_appointment(server, "weekly_2"))
    dan.page.get_by_label("Find a client to add").fill("Latecomer")
    dan.button("Find").click()
    dan.button("Add Latecomer, Lara").click()
    dan.page.get_by_label(re.compile("^Service 1 of Latecomer")).select_option("LETTER Letter")
    dan.page.get_by_label(re.compile("^Group size limit")).fill("2")
    dan.page.get_by_label(re.compile(r"This and following \(2\)")).check()
    dan.button("Check dates and conflicts").click()
    dan.sees("2 appointments would be changed.")
    dan.sees("3 clients, and this group is meant for 2.")
    dan.button("Save").last.click()
    dan.sees("2 appointments were changed.")
    sizes = [_rows(dan).nth(number).inner_text().split(" clients")[0][-1] for number in range(4)]
    assert sizes == ["2", "2", "3", "3"]


def test_a_series_without_scripts_and_a_conflict_that_is_said(enter: Enter, server: Server) -> None:
    dan = enter("dan", scripts=False)
    for expected in ("2 appointments were added, ", "It was saved, and there is a conflict."):
        _new_weekly(dan, server, first_name="lara", count="2")
        dan.button("Save").last.click()
        dan.sees(re.compile(expected))
    dan.sees(re.compile("Otto Later is with Latecomer, Lara from 4:30 PM to 5:20 PM"))
