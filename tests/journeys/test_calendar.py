"""The Calendar: a week side by side, a month, by keyboard, on a phone, without scripts, on paper."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, expect

from .calendar_days import calendar_monday
from .conftest import Enter
from .server import Server
from .visitor import PHONE, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def _slot(visitor: Visitor, text: str) -> Locator:
    return visitor.page.get_by_role("main").get_by_role("listitem").filter(has_text=text)


def test_the_week_shows_what_overlaps_side_by_side_and_counts_what_is_too_much(enter: Enter, server: Server) -> None:
    monday = calendar_monday(server.day())
    bob = enter("bob")
    bob.open(f"/alder/calendar/?day={monday.isoformat()}")
    bob.sees_heading(re.compile("^Calendar, "))
    boxes = [_slot(bob, name).bounding_box() for name in ("Cleo Calendar", "Cyrus Calendar", "Celia Calendar")]
    assert all(boxes)
    cleo, cyrus, celia = (box for box in boxes if box)
    assert cleo["x"] + cleo["width"] <= cyrus["x"] + 1 and cyrus["x"] + cyrus["width"] <= celia["x"] + 1
    assert abs(cleo["y"] - cyrus["y"]) < 1 and celia["y"] > cleo["y"] + 30
    expect(_slot(bob, "Cleo Calendar")).to_contain_text("Kept")
    expect(_slot(bob, "Cleo Calendar").locator(".tag-billed")).to_have_text("Billed")
    expect(_slot(bob, "Monday circle (3)")).to_contain_text("2 Upcoming, 1 No Show")
    expect(_slot(bob, "Clara Calendar")).to_contain_text("Late Cancel · Telehealth at home")
    bob.look("calendar-week")
    more = bob.link(re.compile(r"^\+20 more from 10:00 AM$"))
    more.click()
    bob.sees_heading(re.compile("^Agenda, Tuesday"))
    expect(bob.page.locator("tr:focus")).to_contain_text("Calendar, Crowd")


def test_the_month_names_the_first_and_leads_to_the_others(enter: Enter, server: Server) -> None:
    monday = calendar_monday(server.day())
    bob = enter("bob")
    bob.open(f"/alder/calendar/?day={monday.isoformat()}")
    bob.link("Month").click()
    bob.sees_heading(f"Calendar, {monday:%B %Y}")
    bob.look("calendar-month")
    tuesday = monday + timedelta(days=1)
    cell = bob.page.locator(f"[data-day='{tuesday.isoformat()}']")
    expect(cell.get_by_role("link", name=re.compile("Crowd"))).to_have_count(3)
    bob.link(f"+19 more on {tuesday:%m/%d/%Y}").click()
    bob.sees_heading(re.compile("^Agenda, Tuesday"))
    bob.sees("22 dates of service")


def test_by_keyboard_from_slot_to_slot_and_from_week_to_week(enter: Enter, server: Server) -> None:
    monday = calendar_monday(server.day())
    bob = enter("bob")
    bob.open(f"/alder/calendar/?day={monday.isoformat()}")
    focused = bob.page.locator("li:focus")
    bob.page.keyboard.press("j")
    expect(focused).to_contain_text("Cleo Calendar")
    bob.page.keyboard.press("ArrowDown")
    bob.page.keyboard.press("j")
    expect(focused).to_contain_text("Celia Calendar")
    bob.page.keyboard.press("k")
    bob.page.keyboard.press("ArrowUp")
    expect(focused).to_contain_text("Cleo Calendar")
    bob.page.keyboard.press("ArrowRight")
    expect(focused).to_contain_text("Crowd")
    bob.page.keyboard.press("ArrowLeft")
    expect(focused).to_contain_text("Calendar")
    bob.look("calendar-week-focus")
    bob.page.keyboard.press("Enter")
    bob.sees_heading(re.compile("^Appointment, "))
    bob.page.go_back()
    bob.page.keyboard.press("n")
    bob.page.wait_for_url(re.compile(f"day={(monday + timedelta(days=6)).isoformat()}"))
    bob.sees("No appointments in this week")
    bob.look("calendar-empty")
    bob.page.keyboard.press("p")
    bob.page.wait_for_url(re.compile(f"day={(monday - timedelta(days=1) - timedelta(days=1)).isoformat()}|day="))
    bob.sees("Cleo Calendar")
    bob.page.keyboard.press("t")
    expect(bob.page.locator(".cal-today")).to_be_visible()


def test_filters_stay_in_the_address(enter: Enter, server: Server) -> None:
    monday = calendar_monday(server.day())
    bob = enter("bob", scripts=False)
    bob.open(f"/alder/calendar/?day={monday.isoformat()}")
    bob.page.get_by_label("Staff").select_option("Nora Newcomer")
    bob.button("Show").click()
    expect(_slot(bob, "Cyrus Calendar")).to_be_visible()
    expect(_slot(bob, "Cleo Calendar")).to_have_count(0)
    bob.link("Month").click()
    expect(bob.page.get_by_label("Staff")).to_have_value(server.practice["staff"]["nora"])
    bob.link("Next").click()
    bob.sees("Nothing here with these filters")
    bob.link("Show everybody’s").click()
    expect(bob.page.get_by_label("Staff")).to_have_value("")


def test_on_a_phone_the_days_are_lists(enter: Enter, server: Server) -> None:
    monday = calendar_monday(server.day())
    bob = enter("bob")
    bob.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    bob.open(f"/alder/calendar/?day={monday.isoformat()}")
    cleo, cyrus = _slot(bob, "Cleo Calendar").bounding_box(), _slot(bob, "Cyrus Calendar").bounding_box()
    assert cleo and cyrus and cyrus["y"] >= cleo["y"] + cleo["height"] and cleo["width"] > 300
    bob.open(f"/alder/calendar/?view=month&day={monday.isoformat()}")
    expect(bob.page.locator(f"[data-day='{(monday + timedelta(days=5)).isoformat()}']")).to_be_hidden()
    expect(_slot(bob, "Cleo Calendar")).to_be_visible()


def test_a_slot_is_dragged_to_another_day_and_hour(enter: Enter, server: Server) -> None:
    monday = calendar_monday(server.day())
    friday = monday + timedelta(days=4)
    bob = enter("bob")
    bob.open(f"/alder/calendar/?day={monday.isoformat()}")
    slot, target = _slot(bob, "Dolores Calendar"), bob.page.locator(f".cal-slots[data-day='{friday.isoformat()}']")
    slot.scroll_into_view_if_needed()
    start, column = slot.bounding_box(), target.bounding_box()
    assert start and column
    # From 10:00 on Thursday to Friday, two hours later: 12 rows of 8 px are an hour. Held at the middle of the slot.
    bob.page.mouse.move(start["x"] + 20, start["y"] + 30)
    bob.page.mouse.down()
    bob.page.mouse.move(column["x"] + 30, start["y"] + 30 + 100)
    bob.page.mouse.move(column["x"] + 30, start["y"] + 30 + 2 * 96)
    expect(target.get_by_role("listitem")).to_contain_text("12:00 Dolores Calendar")
    bob.look_at_picture("calendar-dragging")
    bob.page.mouse.up()
    bob.sees(f"The appointment was moved to {friday:%m/%d/%Y} at 12:00 PM.")
    expect(target.get_by_role("listitem")).to_contain_text("12:00 PM Dolores Calendar")
    bob.sees_heading(re.compile("^Calendar, "))  # the same week
    # Given up with Escape, and a click that is no drag: nothing moves, the appointment opens.
    _slot(bob, "Darius Calendar").scroll_into_view_if_needed()
    box = _slot(bob, "Darius Calendar").bounding_box()
    assert box
    bob.page.mouse.move(box["x"] + 20, box["y"] + 10)
    bob.page.mouse.down()
    bob.page.mouse.move(box["x"] + 20, box["y"] + 110)
    bob.page.keyboard.press("Escape")
    bob.page.mouse.up()
    expect(_slot(bob, "Darius Calendar")).to_contain_text("3:00 PM Darius")
    bob.page.mouse.move(0, 0)
    bob.link(re.compile("Darius Calendar$")).first.click()
    bob.sees_heading(re.compile("^Appointment, "))


def test_whoever_drags_an_appointment_that_moved_meanwhile_is_told(enter: Enter, server: Server) -> None:
    monday = calendar_monday(server.day())
    bob, alice = enter("bob"), enter("alice")
    for person in (bob, alice):
        person.open(f"/alder/calendar/?day={monday.isoformat()}")
    # By keyboard: the Move link of the slot, which is the form for those who do not drag.
    slot = _slot(alice, "Darius Calendar")
    alice.link(re.compile("Darius Calendar$"), slot).first.focus()
    alice.page.keyboard.press("m")
    alice.sees_heading(re.compile("^Move appointment"))
    alice.page.get_by_label("Start").fill("16:00")
    alice.button("Move").click()
    alice.sees(re.compile("was moved to .* at 4:00 PM"))
    alice.sees_heading(re.compile("^Calendar, "))
    _slot(bob, "Darius Calendar").scroll_into_view_if_needed()
    box = _slot(bob, "Darius Calendar").bounding_box()
    assert box
    bob.page.mouse.move(box["x"] + 20, box["y"] + 10)
    bob.page.mouse.down()
    bob.page.mouse.move(box["x"] + 20, box["y"] + 60)
    bob.page.mouse.move(box["x"] + 20, box["y"] + 106)
    bob.page.mouse.up()
    bob.sees(re.compile("Somebody else changed this appointment while you had it open"))


def test_a_billed_slot_is_not_dragged_and_a_free_hour_is_one_click_from_a_new_one(enter: Enter, server: Server) -> None:
    monday = calendar_monday(server.day())
    bob = enter("bob")
    bob.open(f"/alder/calendar/?day={monday.isoformat()}")
    expect(_slot(bob, "Cleo Calendar")).not_to_have_attribute("data-move", re.compile("."))
    saturday = bob.page.locator(f".cal-slots[data-day='{(monday + timedelta(days=5)).isoformat()}']")
    saturday.click(position={"x": 40, "y": 96 + 26})  # 9:15
    bob.sees_heading("New Appointment")
    expect(bob.page.get_by_label("Date")).to_have_value((monday + timedelta(days=5)).isoformat())
    expect(bob.page.get_by_label("Start")).to_have_value("09:15")


def test_on_paper_the_week_is_seven_lists(enter: Enter, server: Server) -> None:
    monday = calendar_monday(server.day())
    bob = enter("bob")
    for view in ("week", "month"):
        bob.open(f"/alder/calendar/?day={monday.isoformat()}&view={view}")
        bob.page.emulate_media(media="print")
        bob.look_at_picture(f"calendar-{view}-print")
        expect(bob.page.get_by_role("search")).to_have_count(0)
        expect(_slot(bob, "Cleo Calendar")).to_be_visible()
