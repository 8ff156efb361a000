"""A hole of each kind is found: by the very functions with which the suite looks at the real addresses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings

from daysheet.database.scope import practice_transaction
from daysheet.practices.permissions import Permission
from tests.fuzz.test_fuzz import Fuzzer
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
    fuzzer = Fuzzer(world, only={"hole:raises", "hole:half"})
    for target in fuzzer.targets:
        fuzzer.send(target.name, target.method, f"{target.url}?page=x")
    kinds = " ".join(fuzzer.found)
    assert "GET hole:raises: ValueError" in kinds
    assert "GET hole:raises: status 500" in kinds


def test_a_write_that_is_half_done(world: World, listed: None) -> None:
    fuzzer = Fuzzer(world, only={"hole:half"})
    for target in fuzzer.targets:
        fuzzer.send(target.name, target.method, target.url)
    assert list(fuzzer.found) == ["POST hole:half: half a write with 422"]
