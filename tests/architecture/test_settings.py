"""Settings and headers that keep doors locked: each seen in an answer, in this mode and in that behind TLS."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from daysheet.web.middleware import LARGEST_BODY_BYTES
from daysheet.web.requests import next_url
from tests.people import PASSWORD, Cast

from .world import browser_of

_PAGES = ("/account/login/", "/health/live", "/no-such-page", "/static/web/app.js")
_EVIL = [
    "//evil.example",
    "https://evil.example/",
    "/\\evil.example",
    "javascript:alert(1)",
    "///evil.example/a",
    "http:evil.example",
]


@pytest.fixture(scope="module")
def behind_tls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The settings of a process that is started with DAYSHEET_HTTPS, as an installation has them."""
    program = (
        "import json; from daysheet.config import settings as s; "
        "print(json.dumps({k: v for k, v in vars(s).items() if k.isupper() and isinstance(v, (str, int, list))}, "
        "default=str))"
    )
    clean = {k: v for k, v in os.environ.items() if k not in {"DAYSHEET_TESTING", "DAYSHEET_DEBUG"}}
    home = str(tmp_path_factory.mktemp("home"))
    environment = clean | {"DAYSHEET_HTTPS": "1", "DAYSHEET_HOSTS": "books.example", "DAYSHEET_HOME": home}
    answer = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    seen: dict[str, Any] = json.loads(answer.stdout)
    seen["modes"] = [path.stat().st_mode & 0o777 for path in Path(home).glob("*-key")]
    return seen


def test_behind_tls(behind_tls: dict[str, Any]) -> None:
    s = behind_tls
    assert s["SESSION_COOKIE_SECURE"] and s["CSRF_COOKIE_SECURE"] and s["SESSION_COOKIE_HTTPONLY"]
    assert s["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert s["SECURE_SSL_REDIRECT"]
    assert s["ALLOWED_HOSTS"] == ["books.example"]
    assert not s["DEBUG"] and not s["TESTING"]
    assert "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN" not in s
    assert s["PASSWORD_HASHERS"][0].endswith("Argon2PasswordHasher")


def test_three_keys_are_made_and_nobody_else_reads_them(behind_tls: dict[str, Any]) -> None:
    assert behind_tls["modes"] == [0o600] * 3
    assert len({behind_tls["SECRET_KEY"], behind_tls["CARD_KEY"], behind_tls["SIGN_IN_KEY"]}) == 3


def test_a_page_behind_tls_says_so(db: None, settings: Any, behind_tls: dict[str, Any]) -> None:
    settings.SECURE_HSTS_SECONDS, settings.SECURE_SSL_REDIRECT = behind_tls["SECURE_HSTS_SECONDS"], True
    assert Browser().get("/account/login/")["Location"] == "https://testserver/account/login/"
    assert "max-age=31536000" in Browser().get("/account/login/", secure=True)["Strict-Transport-Security"]


@pytest.mark.parametrize("url", _PAGES)
def test_every_answer_has_its_headers(db: None, url: str) -> None:
    answer = Browser().get(url)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    if not url.startswith("/static/"):
        assert answer["X-Frame-Options"] == "DENY"
        policy = {each.split()[0]: each.split()[1:] for each in answer["Content-Security-Policy"].split("; ")}
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
        assert policy["script-src"] == policy["form-action"] == ["'self'"]
        assert "unsafe" not in answer["Content-Security-Policy"]


def test_pages_of_a_practice_have_them_too_and_are_kept_by_no_cache(cast: Cast) -> None:
    answer = browser_of(cast.alice).get("/alder/agenda/")
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "", "testserver:80@evil.example"])
def test_another_host_name_is_not_served(db: None, settings: Any, host: str) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    answer = Browser(raise_request_exception=False).get("/account/login/", headers={"host": host})
    assert answer.status_code == 400


def test_a_reset_link_names_our_host_alone(cast: Cast, settings: Any, mailoutbox: list[Any]) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    evil = {"x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}
    Browser().post("/account/password/reset/", {"email": cast.bob.email}, headers=evil)
    assert "evil.example" not in mailoutbox[0].body
    assert "http://testserver/" in mailoutbox[0].body


@pytest.mark.parametrize("evil", _EVIL)
def test_nobody_is_led_to_another_site(cast: Cast, evil: str) -> None:
    browser = Browser()
    signed_in = browser.post("/account/login/", {"login": cast.bob.email, "password": PASSWORD, "next": evil})
    assert signed_in.status_code == 302
    assert signed_in["Location"] in {"/", reverse("home")}
    again = browser.post("/account/reauthenticate/", {"password": PASSWORD, "next": evil})
    assert "evil" not in again.get("Location", "") and "javascript" not in again.get("Location", "")
    assert browser.post("/account/logout/", {"next": evil})["Location"] == "/account/login/"


@pytest.mark.parametrize("evil", _EVIL)
def test_a_page_that_leads_back_leads_back_to_us(rf: Any, evil: str) -> None:
    assert next_url(rf.post("/", {"next": evil}), "/home") == "/home"
    assert next_url(rf.get("/", {"next": evil}), "/home") == "/home"
    assert next_url(rf.get("/", {"next": "/alder/agenda/"}), "/home") == "/alder/agenda/"


def test_cookies(cast: Cast) -> None:
    browser = Browser()
    browser.get("/account/login/")
    browser.post("/account/login/", {"login": cast.bob.email, "password": PASSWORD})
    session, token = browser.cookies["sessionid"], browser.cookies["csrftoken"]
    assert session["httponly"] and session["samesite"] == token["samesite"] == "Lax"
    assert not session["domain"] and session["path"] == "/"


def test_signing_in_begins_a_new_session(cast: Cast) -> None:
    browser = Browser()
    browser.get("/account/login/")
    session = browser.session
    session["planted"] = "by another"
    session.save()
    browser.cookies["sessionid"] = planted = session.session_key
    browser.post("/account/login/", {"login": cast.bob.email, "password": PASSWORD})
    assert browser.cookies["sessionid"].value != planted
    assert Browser(headers={"cookie": f"sessionid={planted}"}).get("/alder/agenda/").status_code == 302


def test_a_body_larger_than_any_form_is_not_read(cast: Cast, settings: Any) -> None:
    browser = browser_of(cast.alice)
    body = b"note=" + b"x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    form = "application/x-www-form-urlencoded"
    assert browser.post("/alder/clients/add", body, content_type=form).status_code in {400, 413}
    many = b"&".join(b"a=1" for _ in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1))
    assert browser.post("/alder/clients/add", many, content_type=form).status_code in {400, 413}


@pytest.mark.parametrize("length", [str(LARGEST_BODY_BYTES + 1), "9" * 40, "-1", "x"])
def test_what_is_larger_than_any_upload_is_turned_away_unread(cast: Cast, length: str) -> None:
    class Unreadable(io.BytesIO):
        def read(self, *args: Any) -> bytes:
            raise AssertionError("the body was read")

    given = {"CONTENT_LENGTH": length, "wsgi.input": Unreadable()}
    kind = "multipart/form-data; boundary=x"
    for browser, url in ((Browser(), "/account/login/"), (browser_of(cast.alice), "/alder/import/")):
        assert browser.generic("POST", url, b"x", content_type=kind, **given).status_code == 413


def test_wrong_passwords_are_counted_by_login_and_by_sender(cast: Cast) -> None:
    def tried(email: str, password: str, sender: str) -> int:
        typed = {"login": email, "password": password}
        return Browser().post("/account/login/", typed, REMOTE_ADDR=sender).status_code

    # From many senders against one login: the sixth is not looked at, be it the right one.
    for n in range(5):
        assert tried(cast.bob.email, f"wrong {n}", f"192.0.2.{n}") == 200
    assert tried(cast.bob.email, PASSWORD, "192.0.2.99") != 302
    # From one sender against many logins.
    for n in range(12):
        tried(f"x{n}@alder.example", "wrong", "198.51.100.7")
    assert tried(cast.alice.email, PASSWORD, "198.51.100.7") != 302
    assert tried(cast.alice.email, PASSWORD, "203.0.113.1") == 302


def test_behind_a_proxy_each_sender_is_counted_alone(cast: Cast, settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    def tried(email: str, password: str, named: str) -> int:
        typed = {"login": email, "password": password}
        return Browser().post("/account/login/", typed, headers={"x-forwarded-for": named}).status_code

    for n in range(12):
        tried(f"x{n}@alder.example", "wrong", "198.51.100.7")
    assert tried(cast.alice.email, PASSWORD, "203.0.113.1") == 302
    # What a sender claims in front of what the proxy saw makes nobody else of him.
    assert tried(cast.bob.email, PASSWORD, "203.0.113.9, 198.51.100.7") != 302


def test_reset_mails_are_few_and_tell_nothing(cast: Cast, mailoutbox: list[Any]) -> None:
    known = Browser().post("/account/password/reset/", {"email": cast.bob.email})
    unknown = Browser().post("/account/password/reset/", {"email": "nobody@alder.example"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    for _ in range(8):
        Browser().post("/account/password/reset/", {"email": cast.bob.email})
    assert 1 <= len([each for each in mailoutbox if cast.bob.email in each.to]) <= 5


def test_wrong_invitations_are_few(cast: Cast) -> None:
    answers = [Browser().get(f"/alder/join/guess-{n}").status_code for n in range(32)]
    assert answers[:30] == [404] * 30
    assert answers[-1] == 429
    assert Browser().get("/alder/join/guess", REMOTE_ADDR="192.0.2.5").status_code == 404
