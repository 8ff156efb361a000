"""Away for a while: the password again, and what was typed is kept. A practice that asks for a second step gets one.
Sessions end with the permissions they had."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
import time_machine
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from daysheet.clients.models import Client
from daysheet.database.scope import practice_transaction
from daysheet.kit.errors import NotAllowed
from daysheet.practices.models import Practice, User
from daysheet.staff import middleware
from daysheet.staff.actions import add_staff_member, edit_staff_member, give_login
from daysheet.staff.guarding import UNLOCKING
from daysheet.staff.organization.actions import set_sign_in_rules
from tests.people import NOW, PASSWORD, Cast, Person

Enter = Callable[[Person], Browser]
AGENDA, NEW = "/alder/agenda/", "/alder/clients/add"
TYPED = {"first_name": "Ana", "last_name": "Späth & <Co>"}


def later(minutes: float) -> time_machine.travel:
    return time_machine.travel(NOW + timedelta(minutes=minutes), tick=True)


def new_client() -> dict[str, str]:
    return {**TYPED, "client_id": str(uuid4())}


def clients(cast: Cast) -> list[str]:
    with practice_transaction(cast.alder.id):
        return list(Client.objects.values_list("last_name", flat=True))


def test_after_the_minutes_a_page_asks_for_the_password_and_comes_back(cast: Cast, sign_in: Enter) -> None:
    bob = sign_in(cast.bob)
    with later(29):
        assert bob.get(AGENDA).status_code == 200
    with later(58):  # 29 minutes after the last one
        assert bob.get(AGENDA).status_code == 200
    with later(90):
        asked = bob.get(AGENDA + "?day=2026-11-16")
        assert asked["Location"] == "/account/reauthenticate/?next=%2Falder%2Fagenda%2F%3Fday%3D2026-11-16"
        wrong = bob.post("/account/reauthenticate/", {"password": "wrong", "next": AGENDA})
        assert wrong.status_code == 200
        assert bob.get(AGENDA).status_code == 302
        assert bob.post("/account/reauthenticate/", {"password": PASSWORD, "next": AGENDA})["Location"] == AGENDA
        assert bob.get(AGENDA).status_code == 200


def test_a_part_of_a_page_sends_the_whole_page_and_is_no_sign_of_life(cast: Cast, sign_in: Enter) -> None:
    bob = sign_in(cast.bob)
    htmx = {"HX-Request": "true", "HX-Current-URL": "http://testserver" + AGENDA}
    with later(29):
        assert bob.get(AGENDA, headers=htmx).status_code == 200
    with later(31):
        answer = bob.get(AGENDA, headers=htmx)
        assert answer.status_code == 204
        assert answer["HX-Redirect"].startswith("/account/reauthenticate/?next=")


def test_a_form_sent_too_late_is_kept_and_saved_once_the_password_came(cast: Cast, sign_in: Enter) -> None:
    bob, typed = sign_in(cast.bob), new_client()
    with later(31):
        asked = bob.post(NEW, typed)
        assert asked.status_code == 422
        assert clients(cast) == []
        page = asked.content.decode()
        assert 'name="last_name" value="Späth &amp; &lt;Co&gt;"' in page
        wrong = bob.post(NEW, {**typed, UNLOCKING: "wrong"})
        assert wrong.status_code == 422
        assert b"This is not your password." in wrong.content
        assert clients(cast) == []
        assert bob.post(NEW, {**typed, UNLOCKING: PASSWORD}).status_code == 303
        assert clients(cast) == [TYPED["last_name"]]
        assert bob.get(AGENDA).status_code == 200


def test_a_part_of_a_form_sent_too_late_is_kept_too(cast: Cast, sign_in: Enter) -> None:
    """“Check dates”, “Add an Invoice Item”: what HTMX sends is answered with the page, over the whole window."""
    bob, typed = sign_in(cast.bob), new_client()
    with later(31):
        asked = bob.post(NEW, typed, headers={"HX-Request": "true", "HX-Current-URL": "http://testserver" + NEW})
        assert asked.status_code == 422
        assert (asked["HX-Retarget"], asked["HX-Reswap"]) == ("body", "innerHTML")
        assert 'name="last_name" value="Späth &amp; &lt;Co&gt;"' in asked.content.decode()
        assert f'action="{NEW}"' in asked.content.decode()
        assert clients(cast) == []


def test_the_password_cannot_be_guessed_there(cast: Cast, sign_in: Enter) -> None:
    bob = sign_in(cast.bob)
    with later(31):
        answers = [bob.post(NEW, {UNLOCKING: f"guess {n}"}).status_code for n in range(12)]
        assert answers == [422] * 10 + [429] * 2
        assert bob.post(NEW, {**new_client(), UNLOCKING: PASSWORD}).status_code == 429
    assert clients(cast) == []


def test_no_view_sees_the_password(cast: Cast, sign_in: Enter) -> None:
    """Nor where another tab, or the first half of a double click, unlocked the session a moment before."""
    bob = sign_in(cast.bob)
    with later(31):
        for problem in ("was idle", "is unlocked already"):
            answer = bob.post(NEW, {"first_name": "", UNLOCKING: PASSWORD})
            assert answer.status_code == 422 and b"Still you?" not in answer.content, problem
            assert list(answer.wsgi_request.POST) == ["first_name"], problem
            assert PASSWORD.encode() not in answer.content


def test_asking_for_a_second_step_costs_no_query_of_its_own(cast: Cast, sign_in: Enter) -> None:
    TOTP.activate(User.objects.get(pk=cast.bob.user_id), "JBSWY3DPEHPK3PXP")
    bob, counts = sign_in(cast.bob), []
    bob.get(AGENDA)
    for asks in (False, True):
        with practice_transaction(cast.alder.id):
            set_sign_in_rules(cast.actor(cast.alice), requires_two_step=asks, idle_minutes=30)
        with CaptureQueriesContext(connection) as seen:
            assert bob.get(AGENDA).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_the_practice_chooses_the_minutes(cast: Cast, sign_in: Enter) -> None:
    with practice_transaction(cast.alder.id):
        set_sign_in_rules(cast.actor(cast.alice), requires_two_step=False, idle_minutes=5)
    bob = sign_in(cast.bob)
    with later(6):
        assert bob.get(AGENDA).status_code == 302


def test_a_practice_that_allows_hours_opens_no_other_that_allows_minutes(cast: Cast, sign_in: Enter) -> None:
    with practice_transaction(cast.birch.id):
        charlie = cast.actor(cast.charlie)
        give_login(
            charlie,
            add_staff_member(charlie, first_name="Bob", last_name="Biller"),
            User.objects.get(pk=cast.bob.user_id),
        )
        set_sign_in_rules(charlie, requires_two_step=False, idle_minutes=480)
    bob = sign_in(cast.bob)
    with later(60):
        assert bob.get("/birch/agenda/").status_code == 200
        assert bob.get(AGENDA).status_code == 302
    with later(62):
        assert bob.get("/birch/agenda/").status_code == 200
        assert bob.get(AGENDA).status_code == 302
        assert bob.post("/account/reauthenticate/", {"password": PASSWORD, "next": AGENDA})["Location"] == AGENDA
        assert bob.get(AGENDA).status_code == 200
    with later(80):
        assert bob.get(AGENDA).status_code == 200


def test_who_has_no_second_step_sets_one_up_first(cast: Cast, sign_in: Enter) -> None:
    bob, charlie = sign_in(cast.bob), sign_in(cast.charlie)
    with practice_transaction(cast.alder.id):
        set_sign_in_rules(cast.actor(cast.alice), requires_two_step=True, idle_minutes=30)
    for method in (bob.get, bob.post):
        assert method(AGENDA)["Location"] == "/account/2fa/"
    assert bob.get(AGENDA, headers={"HX-Request": "true"})["HX-Redirect"] == "/account/2fa/"
    assert "Alder Clinic asks for a second step" in bob.get("/account/2fa/").content.decode()
    assert charlie.get("/birch/agenda/").status_code == 200, "another practice asks for nothing"
    TOTP.activate(User.objects.get(pk=cast.bob.user_id), "JBSWY3DPEHPK3PXP")
    assert bob.get(AGENDA).status_code == 200


def test_only_an_owner_makes_the_rules_and_only_sensible_ones(cast: Cast, sign_in: Enter) -> None:
    url = "/alder/organization/sign-in"
    assert sign_in(cast.bob).post(url, {"idle_minutes": 480}).status_code == 403
    alice = sign_in(cast.alice)
    for wrong in ("4", "481", "", "x", "9" * 30):
        assert alice.post(url, {"idle_minutes": wrong}).status_code == 422
    assert alice.post(url, {"idle_minutes": "60"}).status_code == 303
    assert Practice.objects.get(pk=cast.alder.id).idle_minutes == 60
    with practice_transaction(cast.alder.id), pytest.raises(NotAllowed):
        set_sign_in_rules(cast.actor(cast.bob), requires_two_step=True, idle_minutes=30)


@pytest.mark.parametrize("change", [{"permissions": []}, {"is_active": False}, {"limited_to_assigned": True}])
def test_a_session_ends_with_the_access_it_had(cast: Cast, sign_in: Enter, change: dict[str, object]) -> None:
    bob = sign_in(cast.bob)
    assert bob.get(AGENDA).status_code == 200
    with practice_transaction(cast.alder.id):
        edit_staff_member(cast.actor(cast.alice), cast.bob.staff_member_id, **change)  # type: ignore[arg-type]
    assert bob.get(AGENDA)["Location"].startswith("/account/login/")
    assert bob.post(NEW, new_client())["Location"].startswith("/account/login/")
    assert clients(cast) == []


def test_pages_wait_five_seconds_for_a_lock_and_a_minute_for_a_statement(cast: Cast, sign_in: Enter) -> None:
    """What their transaction begins with; docs/deployment.md says why so long."""
    bob = sign_in(cast.bob)
    for browser, path in ((bob, AGENDA), (Browser(), "/alder/join/no-such-invitation")):
        with CaptureQueriesContext(connection) as seen:
            browser.get(path)
        begun = next(each["sql"] for each in seen.captured_queries if "SET LOCAL app.practice_id" in each["sql"])
        assert ("application_name" in begun) == (browser is bob), "in one string with the rest"
        assert "SET LOCAL lock_timeout = '5s'" in begun and "SET LOCAL statement_timeout = '60s'" in begun
    assert (middleware.LOCK_SECONDS, middleware.STATEMENT_SECONDS) == (5, 60)


def test_long_jobs_see_who_clicks_and_not_a_page_that_refreshes_itself(live_cast: Cast) -> None:
    """In the name of the session, seen from another one."""
    bob = Browser()
    bob.force_login(User.objects.get(pk=live_cast.bob.user_id))
    part = {"HX-Request": "true"}
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:

        def after(ask: Callable[[], object]) -> str:
            ask()
            mine = connection.connection.info.backend_pid
            row = other.execute("SELECT application_name FROM pg_stat_activity WHERE pid = %s", [mine]).fetchone()
            return str(row and row[0])

        nobody = after(lambda: bob.get(AGENDA, headers=part))
        came = after(lambda: bob.get(AGENDA))
        assert "daysheet web" not in nobody and came.startswith("daysheet web ")
        assert after(lambda: bob.get(AGENDA, headers=part)) == came
        assert after(lambda: bob.get("/account/login/")) == came
        clicked = after(lambda: bob.post(NEW, new_client(), headers=part))
        assert clicked.startswith("daysheet web ") and clicked > came
