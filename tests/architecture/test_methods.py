"""Every registered address × every method: GET, HEAD and POST as methods.py lists them, the rest for nobody.

Who may come in at all is test_role_matrix.py's; this is the other side of the table, and the addresses outside a
practice: signing in, health, metrics, static files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse
from django.test import Client as Browser
from django.urls import get_resolver, reverse

from tests.people import Cast

from .methods import FORMS, OUTSIDE, READ, SENT, is_listed
from .world import World, address, all_urls, browser_of, practice_urls

NOBODY_MEANS = ("put", "patch", "delete", "options", "trace")
#: Without a CSRF token, and what is the key instead.
NO_TOKEN = {"cards:webhook": "the card processor's signature over the message"}
_IDS = {"key": "abc", "uidb36": "1", "pk": 1}


def unlisted() -> set[str]:
    """Addresses whose methods nobody decided about, and decisions about what is gone."""
    inside, outside = set(practice_urls()), {name for name in all_urls() if name not in practice_urls()}
    return (inside ^ (READ | SENT | FORMS)) | (outside ^ set(OUTSIDE))


def test_every_address_has_its_methods_listed_once() -> None:
    assert unlisted() == set()
    assert len(READ) + len(SENT) + len(FORMS) == len(READ | SENT | FORMS)


def test_what_can_be_read_can_be_asked_about(world: World) -> None:
    """HEAD wherever GET; GET and POST are tried by test_role_matrix.py, in every role."""
    owner = browser_of(world.cast.alice)
    answers = [(name, _answer(owner, "head", url)) for name, url in addresses_of(world)]
    wrong = [
        (name, answer.status_code)
        for name, answer in answers
        if (answer.status_code == 405) == is_listed(name, "head") or answer.status_code >= 500
    ]
    assert wrong == []


def test_no_other_method_is_answered_to_anybody(world: World) -> None:
    everybody = [Browser(), browser_of(world.cast.alice)]
    inside = list(addresses_of(world))
    outside = [(name, _outside(name)) for name in OUTSIDE]
    wrong = [
        (method, name)
        for name, url in [*inside, *outside, ("static", "/static/web/app.js"), ("nothing", "/alder/no-such-page")]
        for method in NOBODY_MEANS
        for browser in everybody
        if browser.generic(method.upper(), url).status_code != 405
    ]
    assert wrong == []


def test_outside_a_practice_each_visitor_gets_what_is_listed(cast: Cast) -> None:
    wrong = []
    for name, words in OUTSIDE.items():
        expected = iter(words.split())
        for browser in (Browser(), browser_of(cast.alice)):
            for method in ("get", "post"):
                wrong += _outside_wrong(browser, method, name, next(expected))
    assert wrong == []


def _outside_wrong(browser: Browser, method: str, name: str, listed: str) -> list[tuple[str, str, str, str]]:
    # The library counts attempts by person or address: what this test does to one page is not to close another.
    cache.clear()
    seen = _words(_answer(browser, method, _outside(name)))
    wrong = [] if seen == listed else [(method, name, listed, seen)]
    if method == "get" and name != "account_logout":
        head = _words(_answer(browser, "head", _outside(name)))
        wrong += [] if head == listed else [("head", name, listed, head)]
    return wrong


def _words(answer: HttpResponse) -> str:
    if answer.status_code == 302:
        place = answer["Location"]
        return "in" if "/login/" in place else "again" if "/reauthenticate/" in place else "on"
    return "page" if answer.status_code == 200 else str(answer.status_code)


def _outside(name: str) -> str:
    return reverse(name, kwargs={param: _IDS[param] for param in all_urls()[name]})


def test_static_files_are_only_read() -> None:
    anonymous = Browser()
    url = "/static/web/app.js"
    assert anonymous.get(url).status_code == anonymous.head(url).status_code == 200
    assert anonymous.post(url).status_code in {403, 405}
    for escape in ("/static/../config/settings.py", "/static/%2e%2e/config/settings.py", "/static//etc/passwd"):
        assert anonymous.get(escape).status_code == 404


def taken_without_token(world: World, only: Collection[str] = ()) -> list[tuple[str, int]]:
    """(address, status) of what takes a signed-in person's POST without a CSRF token."""
    owner = browser_of(world.cast.alice)
    owner.handler.enforce_csrf_checks = True
    sent = [(name, url) for name, url in addresses_of(world, only) if name not in READ and name not in NO_TOKEN]
    refused = [(name, _answer(owner, "post", url)) for name, url in sent]
    return [
        (name, answer.status_code)
        for name, answer in refused
        if answer.status_code != 403 or b"This form is too old" not in answer.content
    ]


def test_nothing_is_done_without_a_token(world: World) -> None:
    assert taken_without_token(world) == []


def without_csrf() -> set[str]:
    """Addresses whose views are marked as needing no token: whatever middleware may say, it lets these pass."""
    return {name for name, view in _views(get_resolver(), "") if getattr(view, "csrf_exempt", False)}


def test_only_machines_that_sign_need_no_token() -> None:
    assert without_csrf() == set(NO_TOKEN)


def test_signing_in_and_out_needs_a_token(cast: Cast) -> None:
    anonymous, owner = Browser(enforce_csrf_checks=True), browser_of(cast.alice)
    owner.handler.enforce_csrf_checks = True
    for name in ("account_login", "account_reset_password", "mfa_login_webauthn"):
        assert anonymous.post(_outside(name)).status_code == 403, name
    for name in ("account_logout", "account_change_password", "account_reauthenticate"):
        assert owner.post(_outside(name)).status_code == 403, name


def addresses_of(world: World, only: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """(name, address with the world's ids) of everything inside a practice."""
    for name, params in sorted(practice_urls().items()):
        if not only or name in only:
            yield name, address(name, "alder", params, world.ids)


def _answer(browser: Browser, method: str, url: str) -> HttpResponse:
    with transaction.atomic():
        answer = getattr(browser, method)(url)
        transaction.set_rollback(True)
    return answer


def _views(resolver: object, namespace: str) -> Iterator[tuple[str, object]]:
    for each in resolver.url_patterns:  # type: ignore[attr-defined]
        if hasattr(each, "url_patterns"):
            yield from _views(each, namespace + (f"{each.namespace}:" if each.namespace else ""))
        else:
            yield f"{namespace}{each.name}", each.callback
