"""The guide inside the application: each mapped page is there, every page is safe, and Help leads to the right one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client as Browser

from daysheet.help import guide
from daysheet.help.guide import GuidePage, find_page, page_names
from daysheet.help.topics import TOPICS, topic_of
from tests.architecture.world import all_urls
from tests.people import Cast, Person

SignIn = Callable[[Person], Browser]


def test_every_topic_names_a_page_of_the_guide_and_an_address_of_the_application() -> None:
    names = set(all_urls())
    spaces = {name.partition(":")[0] for name in names}
    assert set(TOPICS.values()) <= set(page_names())
    assert set(TOPICS) <= names | spaces, "a topic of an address that is gone"


def test_every_page_of_the_guide_explains_a_page_of_the_application() -> None:
    assert set(TOPICS.values()) == set(page_names())


def test_every_page_stands_once_in_the_list_of_the_guide_and_in_a_section_of_its_own() -> None:
    listed = [page.name for _, pages in guide.sections() for page in pages]
    assert sorted(listed) == list(page_names())
    assert "More" not in dict(guide.sections())


def test_a_name_goes_before_its_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TOPICS, "automation:dry_run", "import")
    assert [topic_of(name) for name in ("automation:dry_run", "automation:edit", "clients:list", "")] == [
        "import", "automation", None, None,
    ]  # fmt: skip


@pytest.mark.parametrize("name", page_names())
def test_links_between_pages_lead_somewhere_and_each_page_has_a_title(name: str) -> None:
    page = find_page(name)
    assert page and page.title and "<h1>" not in page.html
    linked = set(re.findall(r'href="\.\./([a-z0-9-]+)/', page.html))
    assert linked <= set(page_names())
    assert len(re.findall(r'href="#main"', page.html)) == 0, "a link that leads nowhere"


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "[x](//evil.example)",
        "[x](data:text/html;base64,AAAA)", "![x](https://evil.example/p.png)", '[x](https://a.example "\\"><script>")',
        "[x](../../etc/passwd)", "<a href='https://evil.example' style='x'>x</a>", "[x](http://plain.example)",
    ],
)  # fmt: skip
def test_a_page_is_text_and_nothing_else(hostile: str) -> None:
    html = GuidePage("x", "x", hostile).html
    assert "evil.example/p.png" not in html
    tags = set(re.findall(r"<(\w+)", html))
    assert tags <= {"p", "a"}
    for target in re.findall(r'href="([^"]*)"', html):
        assert target == "#main" or target.startswith("https://"), target
    assert not re.search(r"<[^>]*\s(on\w+|style|src)=", html)


@pytest.mark.parametrize("name", ["../configuration", "..%2fadr", "/etc/passwd", "IMPORT", "import.md", "", "nowhere"])
def test_a_name_is_never_a_path(name: str) -> None:
    assert find_page(name) is None


def test_help_leads_to_the_task_of_the_page(cast: Cast, sign_in: SignIn) -> None:
    browser = sign_in(cast.alice)
    for path, leads_to in (
        ("/alder/organization/automation/", "/alder/help/automation/"),
        ("/alder/import/", "/alder/help/import/"),
        ("/alder/getting-started/", "/alder/help/first-hour/"),
        ("/alder/agenda/", "/alder/help/invoice-from-agenda/"),
        ("/alder/calendar/", "/alder/help/schedule/"),
        ("/alder/billing/batch-invoicing/", "/alder/help/batch-invoicing/"),
        ("/alder/reports/day-sheet/", "/alder/help/reports/"),
        ("/alder/clients/", "/alder/help/"),
    ):
        assert f'href="{leads_to}">Help<' in browser.get(path).content.decode(), path


def test_everybody_reads_the_guide_and_nobody_a_page_that_is_not_there(cast: Cast, sign_in: SignIn) -> None:
    dan = sign_in(cast.dan)
    index = dan.get("/alder/help/").content.decode()
    for name in page_names():
        assert f'href="/alder/help/{name}/"' in index
        assert dan.get(f"/alder/help/{name}/").status_code == 200
    assert dan.get("/alder/help/nowhere/").status_code == 404


def test_a_picture_is_shown_and_only_pictures_of_the_guide(cast: Cast, sign_in: SignIn) -> None:
    dan = sign_in(cast.dan)
    assert '<img src="../pictures/agenda.png" alt=' in dan.get("/alder/help/invoice-from-agenda/").content.decode()
    answer = dan.get("/alder/help/pictures/agenda.png")
    assert answer["Content-Type"] == "image/png" and answer.content.startswith(b"\x89PNG")
    assert dan.get("/alder/help/pictures/nowhere.png").status_code == 404
    assert [guide.find_picture(name) for name in ("../screenshots/agenda", "AGENDA", "", "agenda.png")] == [None] * 4


def test_without_the_documentation_help_says_so(
    cast: Cast, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(guide, "FOLDER", tmp_path)
    assert "The guide was not installed" in sign_in(cast.alice).get("/alder/help/").content.decode()
