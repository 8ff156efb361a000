"""Signing in and out, and what a window shows before and after."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.people import PASSWORD

from .conftest import Enter
from .server import SIGN_IN

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_person_signs_in_lands_on_the_agenda_and_signs_out(enter: Enter) -> None:
    alice = enter()
    for path in ("/", "/alder/agenda/", "/no-such-practice/agenda/"):  # the same answer, whether it exists or not
        alice.open(path)
        alice.sees_heading("Sign in")
    alice.open("/")
    alice.look("sign-in")
    alice.page.get_by_label("Email").fill("alice@alder.example")
    alice.page.get_by_label("Password").fill("not the password")
    alice.button("Sign in").click()
    alice.sees("You are not signed in")
    alice.look("sign-in-refused")
    alice.page.get_by_label("Password").fill(PASSWORD)
    alice.button("Sign in").click()
    alice.sees_heading(re.compile("^Agenda, "))
    top = alice.page.get_by_role("navigation", name="Main")
    assert top.get_by_role("link").all_inner_texts() == [
        "Schedule", "Clients", "Billing", "Staff", "Reports", "Organization",
    ]  # fmt: skip
    expect(alice.page.get_by_role("link", name=re.compile(r"unbilled · oldest \d+ days"))).to_be_visible()
    alice.page.get_by_text("Alice Owner").click()
    alice.button("Sign out").click()
    alice.page.wait_for_url(re.compile(SIGN_IN))
    alice.open("/alder/agenda/")
    alice.sees_heading("Sign in")
