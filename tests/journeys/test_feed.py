"""The calendar feed: made, read by a calendar that does not sign in, replaced, stopped."""

from __future__ import annotations

import re

import icalendar
import pytest
from playwright.sync_api import expect

from .conftest import Enter
from .server import Server

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_provider_makes_replaces_and_stops_the_address(enter: Enter, server: Server) -> None:
    carol, calendar = enter("carol"), enter()
    carol.open("/alder/account")
    carol.link("Calendar feed").click()
    carol.sees_heading("Calendar feed")
    carol.look("calendar-feed")
    carol.page.get_by_role("button", name=re.compile("^Make")).click()
    carol.sees(re.compile("It is shown only now"))
    address = carol.page.locator("code").inner_text()
    carol.look("calendar-feed-made")

    read = calendar.context.request.get(address)
    assert read.status == 200 and read.headers["content-type"] == "text/calendar; charset=utf-8"
    events = icalendar.Calendar.from_ical(read.body()).walk("VEVENT")
    assert events and all(
        str(event["summary"]).startswith(("Appointment", "Group of", "Telehealth")) for event in events
    )
    assert "Agenda" not in read.text()  # Abel Agenda has an appointment today
    again = calendar.context.request.get(address, headers={"If-None-Match": read.headers["etag"]})
    assert again.status == 304

    carol.open("/alder/account/calendar-feed/")
    expect(carol.page.get_by_role("region", name="In use")).not_to_contain_text("Not yet")
    carol.page.get_by_label("Show clients’ initials").check()
    carol.button("Make a new address").click()
    carol.sees(re.compile("It is shown only now"))
    newer = carol.page.locator("code").inner_text()
    assert calendar.context.request.get(address).status == 404
    assert "A.A." in calendar.context.request.get(newer).text()
    carol.button("Stop this address").click()
    carol.sees(re.compile("^The address no longer works"))
    assert calendar.context.request.get(newer).status == 404
    for secret in (address, newer):
        assert secret.rsplit("/", 1)[1].removesuffix(".ics") not in server.log.read_text()


def test_an_administrator_stops_the_address_of_somebody_else(enter: Enter, server: Server) -> None:
    carol, alice, calendar = enter("carol"), enter("alice"), enter()
    carol.open("/alder/account/calendar-feed/")
    carol.page.get_by_role("button", name=re.compile("^Make")).click()
    address = carol.page.locator("code").inner_text()
    alice.open(f"/alder/staff/{server.practice['staff']['carol']}")
    alice.look("staff-with-a-feed")
    alice.button("Stop the calendar feed").click()
    alice.sees("The calendar address no longer works.")
    assert calendar.context.request.get(address).status == 404


def test_who_renders_nothing_is_told_so(enter: Enter) -> None:
    dan = enter("dan")
    dan.open("/alder/account/calendar-feed/")
    dan.sees("You have no schedule of your own")
    dan.look("calendar-feed-none")
