"""A hole of each kind is found: by the very functions with which the suite looks at the real addresses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.sessions.models import Session
from django.test import override_settings

from daysheet.database.scope import practice_transaction
from daysheet.practices.permissions import Permission
from tests.fuzz.fuzzer import Fuzzer
from tests.fuzz.hostile import body_of
from tests.fuzz.roles import limited
from tests.fuzz.visitors import Outcome
from tests.people import Cast

from . import methods, test_methods, test_role_matrix
from .world import World, build_world

_HOLES = {
    "hole:permission": Permission.BILLING,
    "hole:sign_in": Permission.BILLING,
    "hole:assigned": Permission.BILLING,
    "hole:scope": Permission.DEFAULT,
    "hole:token": Permission.DEFAULT,
    "hole:raises": Permission.DEFAULT,
    "hole:half": Permission.DEFAULT,
    "hole:slow": Permission.DEFAULT,
    "hole:changes": Permission.DEFAULT,
    "hole:elsewhere": Permission.DEFAULT,
    "hole:books": Permission.DEFAULT,
    "hole:others": Permission.DEFAULT,
    "hole:moves": Permission.DEFAULT,
}


@pytest.fixture
def world(cast: Cast) -> Iterator[World]:
    """With the holes among the addresses."""
    with practice_transaction(cast.alder.id):
        world = build_world(cast)
        with override_settings(ROOT_URLCONF="tests.architecture.holes"):
            yield world


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if somebody had entered the holes into the tables with the best intentions."""
    monkeypatch.setattr(test_role_matrix, "NEEDS", test_role_matrix.NEEDS | _HOLES)
    monkeypatch.setattr(methods, "FORMS", methods.FORMS | set(_HOLES))


def test_an_address_that_nobody_listed(world: World) -> None:
    assert test_role_matrix.unlisted() == set(_HOLES)
    assert test_methods.unlisted() == set(_HOLES)


def test_a_permission_that_nobody_asks_for(world: World, listed: None) -> None:
    found = test_role_matrix.wrong_for_a_role(world, {"hole:permission"})
    assert (world.cast.dan.email, "get", "hole:permission", 200) in found


def test_a_sign_in_that_nobody_asks_for(world: World, listed: None) -> None:
    found = test_role_matrix.wrong_for_outsiders(world, {"hole:sign_in"})
    assert ("anonymous", "get", "hole:sign_in", 200) in found
    assert ("stranger", "get", "hole:sign_in", 200) in found


def test_an_assignment_that_nobody_asks_for(world: World, listed: None) -> None:
    assert ("get", "hole:assigned", 200) in test_role_matrix.clients_of_others_found(world, {"hole:assigned"})


def test_a_query_that_leaves_its_practice(world: World, listed: None) -> None:
    assert ("get", "hole:scope", 200) in test_role_matrix.objects_of_others_found(world, {"hole:scope"})


def test_a_form_without_a_token(world: World, listed: None) -> None:
    assert test_methods.taken_without_token(world, {"hole:token"}) == [("hole:token", 200)]
    assert "hole:token" in test_methods.without_csrf()


def test_an_exception_that_nobody_caught(world: World, listed: None) -> None:
    """With an empty request all is well: it takes a fuzzer to see it."""
    assert test_role_matrix.wrong_for_a_role(world, {"hole:raises"}) == []
    fuzzer = _at(world, "hole:raises", query="?page=x")
    kinds = " ".join(fuzzer.record.found)
    assert "GET hole:raises: ValueError" in kinds
    assert "GET hole:raises: status 500" in kinds


def test_a_page_that_waits_for_the_database(world: World, listed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes no time of the processor."""
    assert list(_at(world, "hole:slow").record.found) == []
    monkeypatch.setattr("tests.fuzz.fuzzer.MOST_SECONDS", 0.2)
    assert "GET hole:slow: took too long" in _at(world, "hole:slow").record.found


def test_a_write_that_is_half_done(world: World, listed: None) -> None:
    assert list(_at(world, "hole:half").record.found) == ["POST hole:half: half a write with 422: clients_client"]


def test_a_change_that_is_refused_afterwards(world: World, listed: None) -> None:
    """No row more, no row less."""
    assert list(_at(world, "hole:changes").record.found) == ["POST hole:changes: half a write with 422: clients_client"]


def test_a_change_that_the_next_page_tells_to_be_refused(world: World, listed: None) -> None:
    assert list(_at(world, "hole:elsewhere").record.found) == [
        "POST hole:elsewhere: half a write with 303: clients_client"
    ]


def test_books_that_do_not_agree_afterwards(world: World, listed: None) -> None:
    fuzzer = _at(world, "hole:books")
    assert fuzzer.record.books_read == 1
    assert any(kind.startswith("POST hole:books: every payment came in once") for kind in fuzzer.record.found)


def test_a_session_lost_in_the_middle_of_fuzzing(world: World) -> None:
    """All else would be tried on the sign-in page alone, which takes everything and is never broken."""
    fuzzer = Fuzzer(world, only={"clients:add", "clients:edit"})
    fuzzer.learn()
    add, edit = (target for target in fuzzer.targets if target.method == "POST")
    assert fuzzer.send(add.name, add.method, add.url) is Outcome.IN_WORDS
    assert fuzzer.problems() == [] and fuzzer.never_heard() == [edit.name]
    Session.objects.all().delete()
    assert fuzzer.send(edit.name, edit.method, edit.url) is Outcome.SENT_AWAY
    assert list(fuzzer.record.found) == ["POST clients:edit: sent away to sign in"]
    assert fuzzer.never_heard() == [edit.name]


def test_a_session_ended_by_a_request_is_there_for_the_next(world: World) -> None:
    fuzzer = Fuzzer(world, only={"account_logout", "clients:add"})
    for name in ("account_logout", "clients:add"):
        (target,) = (each for each in fuzzer.targets if (each.name, each.method) == (name, "POST"))
        fuzzer.send(target.name, target.method, target.url)
    assert fuzzer.record.answers["POST clients:add"] == {Outcome.IN_WORDS: 1}
    assert fuzzer.problems() == []


def test_a_client_of_others_who_is_named_in_a_form(world: World, listed: None) -> None:
    """No id in the address, so the matrix cannot see it."""
    assert test_role_matrix.clients_of_others_found(world, {"hole:others"}) == []
    bob = limited(world, world.cast.bob, {Permission.BILLING})
    fuzzer = Fuzzer(world, only={"hole:others", "hole:permission"}, role=bob)
    fuzzer.send("hole:others", "POST", "/alder/hole/others", **body_of("form", [("client", str(world.ids["client"]))]))
    assert sorted(fuzzer.record.found) == [
        "POST hole:others: shows a client of others",
        "POST hole:others: writes to a client of others: clients_client",
    ]


def test_an_appointment_of_others_that_is_named_in_a_form(world: World, listed: None) -> None:
    """Its row names no client: a visit's row names both."""
    bob = limited(world, world.cast.bob, {Permission.BILLING})
    fuzzer = Fuzzer(world, only={"hole:moves"}, role=bob)
    sent = [("appointment", str(world.ids["appointment"]))]
    fuzzer.send("hole:moves", "POST", "/alder/hole/moves", **body_of("form", sent))
    assert list(fuzzer.record.found) == ["POST hole:moves: writes to a client of others: schedule_appointment"]


def test_a_form_for_which_a_narrow_role_lacks_the_permission(world: World, listed: None) -> None:
    fuzzer = Fuzzer(world, only={"hole:permission"}, role=limited(world, world.cast.carol, {Permission.PROVIDER}))
    fuzzer.send("hole:permission", "POST", "/alder/hole/permission", **body_of("form", [("x", "1")]))
    assert list(fuzzer.record.found) == ["POST hole:permission: let in without its permission"]


def _at(world: World, name: str, query: str = "") -> Fuzzer:
    """What the fuzzer finds there."""
    fuzzer = Fuzzer(world, only={name})
    for target in fuzzer.targets:
        fuzzer.send(target.name, target.method, target.url + query)
    return fuzzer
