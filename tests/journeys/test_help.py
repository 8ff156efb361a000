"""The guide inside the application: Help leads from a page to its task; each page fits a phone, with its pictures."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from daysheet.help.guide import page_names

from .conftest import Enter
from .visitor import DESK, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
#: Fetched at once, though they come lazily: those that did not load have no width.
BROKEN = """async () => {
    const pictures = Array.from(document.querySelectorAll(".guide img"));
    pictures.forEach((each) => { each.loading = "eager"; });
    await Promise.all(pictures.map((each) => each.decode().catch(() => null)));
    return pictures.filter((each) => !each.naturalWidth).map((each) => each.src);
}"""


def test_help_leads_from_the_page_to_its_task_and_on(enter: Enter) -> None:
    bob = enter("bob")
    bob.open("/alder/agenda/")
    bob.link("Help").click()
    bob.sees_heading("Invoices from the Agenda")
    expect(bob.page.get_by_role("img", name="The Agenda after two visits were billed")).to_be_visible()
    bob.look("help-agenda")
    bob.link("Corrections", bob.page.get_by_role("article")).click()
    bob.sees_heading("Corrections: which one to take")
    bob.look("help-corrections")
    bob.link("Help").click()
    bob.sees_heading("Help")
    bob.look("help-index")


def test_every_page_fits_a_phone_and_shows_its_pictures(enter: Enter) -> None:
    bob = enter("bob")
    bob.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    for name in page_names():
        bob.open(f"/alder/help/{name}/")
        assert bob.page.evaluate(BROKEN) == []
        assert bob.page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth"), name
    bob.page.set_viewport_size(DESK)  # type: ignore[arg-type]
