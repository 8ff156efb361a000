"""The first hour (issue 2, B and H): an installation without a practice, its first owner, and the first files: one that
cannot be read, one with a verdict for every row, the mended one, and the same once more."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.people import PASSWORD

from .server import SIGN_IN, Server, running_server
from .visitor import DESK, Visitor, sign_in, visitor_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
MALFORMED = """ID,First Name,Last Name,Birth Date
C1,Ana,Ruiz,1990-02-03
C2,Ben,,1990-02-03
C3,Cal,Oakes,the third of May
C4,"Dee, née Poe",Flint,02/29/2023
C1,Eve,Twice,1990-02-03
"""
MENDED = """ID,First Name,Last Name,Birth Date
C1,Ana,Ruiz,1990-02-03
C2,Ben,Byrd,1990-02-03
C3,Cal,Oakes,05/03/1990
"""


@pytest.fixture(scope="module")
def new_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Just installed: no practice, nobody."""
    with running_server(tmp_path_factory.mktemp("first_hour"), is_empty=True) as running:
        yield running


def window(server: Server, browser: Browser, *, scripts: bool = True) -> Visitor:
    """Somebody's window at the new server."""
    context = browser.new_context(
        viewport=DESK,  # type: ignore[arg-type]
        color_scheme="light",
        reduced_motion="reduce",
        java_script_enabled=scripts,
    )
    return visitor_in(server, context)


def test_the_first_practice_its_owner_and_the_first_files(new_server: Server, browser: Browser) -> None:
    owner, late = window(new_server, browser), window(new_server, browser, scripts=False)
    for path in ("/", "/welcome/"):
        owner.open(path)
        owner.sees_heading("Welcome to Daysheet")
    late.open("/welcome/")
    owner.look("welcome")
    owner.button("Create the practice").click()
    owner.sees("No practice was made")
    owner.look("welcome-refused")
    introduce(owner, "Juniper Counseling", "juniper@first.example", "short")
    owner.button("Create the practice").click()
    owner.sees(re.compile("password is too short"))
    expect(owner.page.get_by_label("Practice name")).to_have_value("Juniper Counseling")  # nothing typed is lost
    owner.page.get_by_label("Password").fill(PASSWORD)
    owner.button("Create the practice").click()
    owner.sees_heading("Your practice")
    assert "/juniper-counseling/getting-started/" in owner.page.url
    owner.open("/juniper-counseling/agenda/")
    owner.sees("Getting started: 0 of 6 done")
    owner.look("first-agenda")

    # Somebody else had the page open as well: the second practice is not made this way.
    introduce(late, "Second Practice", "late@first.example", PASSWORD)
    late.button("Create the practice").click()
    late.sees_heading(re.compile("not here|not found|nothing", re.IGNORECASE))
    assert late.status_of("/welcome/") == 404
    late.open("/")
    late.sees_heading("Sign in")
    sign_in(late, "juniper@first.example")
    late.sees_heading(re.compile("^Agenda, "))
    assert late.page.url.startswith(new_server.url) and SIGN_IN not in late.page.url

    imports(owner)
    finish(owner, late)


def imports(owner: Visitor) -> None:
    """The files, from the one that is no table to the one that is here already."""
    owner.link("Organization", owner.page.get_by_role("navigation", name="Main")).click()
    owner.link("Import").click()
    owner.sees_heading("Import")
    owner.sees("Nothing imported yet")
    owner.look("import")
    upload(owner, "notes.csv", "Dear colleagues,\nplease find attached\n")
    owner.sees(re.compile(r"\d+ problems?\. Nothing was written"))
    owner.sees("Row 1, column ID: this column is needed and missing")
    owner.look("import-no-table")
    owner.link("Choose another file").click()

    upload(owner, "our clients.csv", MALFORMED)
    owner.sees_heading("Import Clients: our clients.csv")
    rows = owner.page.get_by_role("region", name="Rows of the file")
    for row, words in (
        (verdict(rows, 3), "Last Name"),
        (verdict(rows, 4), "Birth Date"),
        (verdict(rows, 5), "Birth Date"),
        (verdict(rows, 6), "ID"),
    ):
        expect(row).to_contain_text("Error")
        expect(row).to_contain_text(f"Column {words}")
    expect(verdict(rows, 2)).not_to_contain_text("Error")
    expect(verdict(rows, 3).get_by_role("rowheader")).to_have_text("Ben")  # no comma before the name that is missing
    owner.sees(re.compile(r"^4 problems\. Nothing was written"))
    expect(owner.button(re.compile("^Import "))).to_have_count(0)
    owner.look("import-malformed")
    owner.link(re.compile("^Error")).click()
    expect(rows.locator("tbody").get_by_role("row")).to_have_count(4)

    owner.link("Choose another file").click()
    upload(owner, "our clients.csv", MENDED)
    expect(rows.locator("tbody").get_by_role("row")).to_have_count(3)
    owner.sees("3 rows will be written, all or none.")
    owner.look("import-preview")
    owner.button("Import 3 rows").click()
    owner.sees("Clients imported: 3 new, 0 changed, 0 unchanged.")
    owner.look("imported")
    upload(owner, "again.csv", MENDED)
    owner.sees("Everything in this file is here already. There is nothing to import.")
    expect(owner.button(re.compile("^Import "))).to_have_count(0)


def finish(owner: Visitor, late: Visitor) -> None:
    """What was imported is there, and nothing went wrong on the way."""
    owner.link("Clients", owner.page.get_by_role("navigation", name="Main")).click()
    for name in ("Byrd, Ben", "Oakes, Cal", "Ruiz, Ana"):
        expect(owner.link(name)).to_be_visible()
    expect(owner.row("Oakes, Cal")).to_contain_text("05/03/1990")
    faults = owner.faults + late.faults
    owner.context.close()
    late.context.close()
    assert not faults, "\n".join(faults)


def introduce(person: Visitor, practice: str, email: str, password: str) -> None:
    """Fill in the first-run page; the address is left to be made from the name."""
    page = person.page
    page.get_by_label("Practice name").fill(practice)
    page.get_by_label("Time zone").select_option("America/Chicago")
    page.get_by_label("Your first name").fill("Juno")
    page.get_by_label("Your last name").fill("Owner")
    page.get_by_label("Your e-mail").fill(email)
    page.get_by_label("Password").fill(password)


def upload(person: Visitor, name: str, content: str) -> None:
    """Choose a file of clients and ask for its preview."""
    person.page.get_by_label(re.compile("^What the file")).select_option("clients")
    person.page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content.encode()}
    )
    person.button("Preview").click()
    person.page.wait_for_url(re.compile("/[0-9a-f]{64}/"))


def verdict(rows: Locator, number: int) -> Locator:
    """The row of the preview about this row of the file."""
    cell = rows.page.get_by_role("cell", name=str(number), exact=True)
    return rows.locator("tbody").get_by_role("row").filter(has=cell)
