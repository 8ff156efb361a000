"""Signing in, the front door and the first-run page."""

from __future__ import annotations

import pytest
from django.contrib.auth.hashers import make_password
from django.core import mail
from django.test import Client, override_settings
from django.urls import reverse

from daysheet.practices.models import Membership, Practice, User
from tests.people import PASSWORD, Cast

FIRST_RUN = {
    "name": "Juniper & Sons",
    "slug": "",
    "time_zone": "America/Chicago",
    "first_name": "Jo",
    "last_name": "Juniper",
    "email": "Jo@Juniper.example",
    "password": "a long enough secret",
}


def sign_in(client: Client, email: str, password: str = PASSWORD, **extra: str):
    return client.post(reverse("account_login"), {"login": email, "password": password, **extra})


@pytest.mark.django_db
def test_an_empty_installation_leads_to_the_first_run_page_which_makes_the_practice(
    client: Client,
) -> None:
    assert client.get("/")["Location"] == "/welcome/"
    page = client.get("/welcome/").content.decode()
    assert page.index("America/New York") < page.index("Africa/Abidjan")

    answer = client.post("/welcome/", FIRST_RUN)

    practice = Practice.objects.get()
    assert (practice.slug, practice.time_zone) == ("juniper-sons", "America/Chicago")
    assert answer.status_code == 303 and answer["Location"].startswith("/juniper-sons/")
    assert client.session["_auth_user_id"] == str(User.objects.get(email="jo@juniper.example").pk)
    assert client.get("/welcome/").status_code == 404
    assert client.post("/welcome/", FIRST_RUN | {"slug": "second"}).status_code == 404
    assert Practice.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "short"}, "too short"),
        ({"password": "password1234"}, "too common"),
        ({"slug": "account"}, "Use small letters"),
        ({"slug": "Has Space"}, "Use small letters"),
        ({"time_zone": "Mars/Olympus"}, "Select a valid choice"),
    ],
)
def test_the_first_run_page_refuses_with_422_and_makes_nothing(
    client: Client, change: dict[str, str], words: str
) -> None:
    answer = client.post("/welcome/", FIRST_RUN | change)

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Practice.objects.exists() and not User.objects.exists()


def test_email_and_password_sign_in_whatever_the_capitals_to_the_one_practice(cast: Cast, client: Client) -> None:
    assert client.get("/")["Location"].startswith("/account/login/")

    assert sign_in(client, "BOB@alder.example").status_code == 302
    assert client.get("/")["Location"].startswith("/alder/")
    assert client.get("/birch/account").status_code == 404


@override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.Argon2PasswordHasher"])
def test_the_password_is_kept_with_argon2(cast: Cast, client: Client) -> None:
    User.objects.filter(pk=cast.bob.user_id).update(password=make_password(PASSWORD))

    assert User.objects.get(pk=cast.bob.user_id).password.startswith("argon2$")
    assert sign_in(client, cast.bob.email).status_code == 302
    assert "_auth_user_id" in client.session


def test_a_wrong_password_says_the_same_as_an_unknown_address(cast: Cast, client: Client) -> None:
    wrong = sign_in(client, cast.bob.email, "not it at all")
    unknown = sign_in(client, "nobody@alder.example", "not it at all")

    words = "The email address and/or password you specified are not correct"
    assert words in wrong.content.decode() and words in unknown.content.decode()
    assert "_auth_user_id" not in client.session


def test_signing_in_returns_to_the_page_that_asked_but_never_to_another_host(cast: Cast, client: Client) -> None:
    assert sign_in(client, cast.bob.email, next="/alder/account")["Location"] == "/alder/account"
    client.logout()
    assert sign_in(client, cast.bob.email, next="https://evil.example/")["Location"] == "/"


def test_nobody_signs_up_by_themselves(cast: Cast, client: Client) -> None:
    page = client.get(reverse("account_signup")).content.decode()
    client.post(reverse("account_signup"), {"email": "new@alder.example", "password1": "a long enough secret"})

    assert "By invitation only" in page
    assert not User.objects.filter(email="new@alder.example").exists()


def test_a_login_of_two_practices_chooses_and_one_of_none_is_told_so(cast: Cast, client: Client) -> None:
    client.force_login(User.objects.get(pk=cast.bob.user_id))
    Membership.objects.create(
        practice_id=cast.birch.id, user_id=cast.bob.user_id, staff_member_id=cast.bob.staff_member_id
    )
    both = client.get("/").content.decode()
    Membership.objects.filter(user_id=cast.bob.user_id).update(ended_at="2026-11-01T00:00:00Z")
    none = client.get("/").content.decode()

    assert "Alder Clinic" in both and "Birch Practice" in both
    assert "You belong to no practice" in none


def test_a_forgotten_password_is_replaced_by_a_link_with_a_neutral_subject(cast: Cast, client: Client) -> None:
    client.post(reverse("account_reset_password"), {"email": cast.bob.email})
    [letter] = mail.outbox
    assert letter.subject == "Choose a new password" and letter.to == [cast.bob.email]
    link = next(line for line in letter.body.splitlines() if "/password/reset/key/" in line)

    form = client.get(link[link.index("/account/") :], follow=True)
    client.post(form.request["PATH_INFO"], {"password1": "a brand new secret", "password2": "a brand new secret"})

    assert User.objects.get(pk=cast.bob.user_id).check_password("a brand new secret")
    assert "This link is no longer valid" in client.get(link[link.index("/account/") :], follow=True).content.decode()


def test_too_many_attempts_are_answered_in_our_look(cast: Cast, client: Client) -> None:
    for _ in range(31):
        answer = client.post(reverse("account_reset_password"), {"email": cast.bob.email})

    assert answer.status_code == 429
    assert "Too many attempts" in answer.content.decode()


PAGES_OF_ONES_OWN_LOGIN = [
    *("account_logout", "account_change_password", "account_reauthenticate", "mfa_index", "mfa_activate_totp"),
    *("mfa_list_webauthn", "mfa_add_webauthn", "mfa_generate_recovery_codes"),
]


@pytest.mark.parametrize("name", PAGES_OF_ONES_OWN_LOGIN)
def test_every_page_of_ones_own_login_has_our_look_and_no_inline_script(cast: Cast, client: Client, name: str) -> None:
    sign_in(client, cast.bob.email)

    answer = client.get(reverse(name), follow=True)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'class="brand"' in page and "<h1>" in page
    assert "onload" not in page and " style=" not in page
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    for script in page.split("<script")[1:]:
        assert "src=" in script.split(">")[0] or 'type="application/json"' in script.split(">")[0]
