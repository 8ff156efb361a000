"""The frame of every page, the parts, and the error pages."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.http import HttpRequest, HttpResponse
from django.template import Template
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import resolve

from daysheet.practices.permissions import Permission
from daysheet.web import context, errors, registry, views
from daysheet.web.registry import UnbilledCount
from daysheet.web.tests.test_templatetags import alice

TEMPLATES = sorted(Path(__file__).parents[2].glob("*/templates/**/*.html"))


@pytest.fixture(autouse=True)
def own_addresses(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.ROOT_URLCONF = "daysheet.web.tests.urls"
    settings.MIDDLEWARE = []
    monkeypatch.setattr(registry, "_unbilled_counters", [lambda actor: UnbilledCount(1023, 41)])
    monkeypatch.setattr(context, "is_practice_set", lambda: True)
    yield


def request_for(path: str, *permissions: Permission, **headers: str) -> HttpRequest:
    request = RequestFactory().get(path, headers=headers)
    request.actor = alice(*permissions)  # type: ignore[attr-defined]
    request.resolver_match = resolve(request.path)
    return request


def page(*permissions: Permission) -> str:
    return views.render_page(request_for("/harbor/clients/", *permissions), "web/base.html").content.decode()


def test_the_top_bar_shows_what_the_actor_may_see(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daysheet.web.context.is_practice_set", lambda: True)
    with_billing = page(Permission.BILLING)
    assert re.findall(r"<li><a href=\"[^\"]+\"(?: aria-current=\"true\")?>(\w+)</a></li>", with_billing) == [
        "Clients",
        "Billing",
        "Reports",
    ]
    assert '<a href="/harbor/clients/" aria-current="true">Clients</a>' in with_billing
    assert "<b>1,023</b> unbilled · oldest 41 days" in with_billing
    without = page()
    assert "Billing" not in without.replace("Batch Invoicing", "")
    assert "unbilled" not in without


def test_an_error_page_made_after_the_transaction_shows_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "is_practice_set", lambda: False)
    assert 'class="unbilled"' not in page(Permission.BILLING)


def test_nothing_is_counted_for_a_page_without_the_top_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_unbilled_counters", [lambda actor: pytest.fail("counted")])
    views.render_page(request_for("/harbor/clients/", Permission.BILLING), "web/parts/messages.html")


def test_htmx_is_told_from_history() -> None:
    assert views.is_htmx(request_for("/harbor/clients/", **{"HX-Request": "true"}))
    back = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert not views.is_htmx(request_for("/harbor/clients/", **back))


def test_see_other_moves_the_whole_page() -> None:
    plain = views.see_other(request_for("/harbor/clients/"), "/there")
    assert (plain.status_code, plain["Location"]) == (303, "/there")
    part = views.see_other(request_for("/harbor/clients/", **{"HX-Request": "true"}), "/there")
    assert (part.status_code, part["HX-Redirect"], part["Vary"]) == (200, "/there", "HX-Request")


class NameForm(forms.Form):
    name = forms.CharField(help_text="As on the card.")
    sides = forms.ChoiceField(choices=[("c", "Client")], widget=forms.RadioSelect)


def test_a_refusal_says_what_and_where() -> None:
    form = NameForm({})
    answer = views.refused(request_for("/harbor/clients/"), form, "web/parts/form_errors.html", message="Not so.")
    text = answer.content.decode()
    assert (answer.status_code, answer["Vary"]) == (422, "HX-Request")
    assert "Nothing was saved yet" in text
    assert "<li>Not so.</li>" in text
    assert '<a href="#id_name">Name</a>' in text


def test_a_field_is_tied_to_its_help_and_errors() -> None:
    form = NameForm({})
    text = render_to_string("web/parts/field.html", {"field": form["name"]})
    assert 'aria-describedby="id_name_helptext id_name_error"' in text
    assert 'aria-invalid="true"' in text
    assert 'id="id_name_helptext"' in text
    assert 'id="id_name_error"' in text
    assert "<legend>" in render_to_string("web/parts/field.html", {"field": form["sides"]})


def test_a_dialog_and_a_progress_bar_name_their_numbers() -> None:
    dialog = render_to_string(
        "web/parts/confirm_dialog.html", {"id": "sure", "title": "Create 3 invoices?", "form": "batch"}
    )
    assert "Yes, I&#x27;m sure" in dialog or "Yes, I'm sure" in dialog
    assert 'form="batch"' in dialog
    progress = render_to_string("web/parts/progress.html", {"done": 812, "total": 4000, "noun": "clients"})
    assert "812 of 4,000 clients" in progress
    assert 'value="812" max="4000"' in progress
    empty = render_to_string("web/parts/progress.html", {"done": 0, "total": 0})
    assert 'value="0" max="1"' in empty
    assert "0 of 0" in empty


def test_pagination_needs_no_count() -> None:
    request = RequestFactory().get("/?q=a")
    few = SimpleNamespace(has_other_pages=True, has_previous=False, has_next=True, next_page_number=2, number=1)
    text = render_to_string("web/parts/pagination.html", {"page": few, "request": request})
    assert 'href="?q=a&amp;page=2"' in text
    assert "Previous" not in text


@pytest.mark.parametrize(("path", "status"), [("/denied", 403), ("/broken", 500), ("/nowhere/at/all", 404)])
def test_error_pages_say_what_happened_and_what_was_not_changed(path: str, status: int) -> None:
    client = Client(raise_request_exception=False)
    words = errors.WORDS[status]
    for headers, kind in (({}, "text/html"), ({"HX-Request": "true"}, "text/plain")):
        answer = client.get(path, headers=headers)
        text = answer.content.decode()
        assert answer.status_code == status
        assert answer["Content-Type"].startswith(kind)
        assert words.title in text
        assert words.unchanged in text
    if status == 403:
        assert "This needs the permission “Billing”." in text


def test_a_stale_form_says_that_nothing_was_saved() -> None:
    answer: HttpResponse = errors.csrf_failure(RequestFactory().post("/x"))
    assert answer.status_code == 403
    assert "Nothing was changed" in answer.content.decode()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: "/".join(path.parts[-3:]))
def test_templates_keep_to_the_content_security_policy(path: Path) -> None:
    """No inline style or script, nothing that HTMX would have to eval, no other host."""
    text = re.sub(r"\{% comment %\}.*?\{% endcomment %\}", "", path.read_text(encoding="utf-8"), flags=re.S)
    assert not re.search(r"\sstyle\s*=|<style\b", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']|hx-on|[\"']js:|hx-trigger=\"[^\"]*\[", text)
    assert not re.search(r"(src|href|action)=\"(https?:)?//", text)


def test_the_examples_of_the_readme_compile() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"```django\n(.*?)```", readme, re.S)
    assert len(examples) == 3
    for example in examples:
        Template(example)
