"""One world for the whole module: every request is taken back, and learning what views read takes some seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from django.db import transaction
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from daysheet.database.scope import practice_transaction
from tests.architecture.world import World, build_world
from tests.people import NOW, build_cast

from .fuzzer import Fuzzer


@pytest.fixture(scope="module")
def whole_world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """In a transaction that is rolled back after the module, with a folder of its own for what is uploaded."""
    folder = override_settings(DATA_FOLDER=tmp_path_factory.mktemp("data"))
    with folder, django_db_blocker.unblock(), time_machine.travel(NOW, tick=True), transaction.atomic():
        cast = build_cast()
        with practice_transaction(cast.alder.id):
            yield build_world(cast)
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def learnt_owner(whole_world: World) -> Fuzzer:
    """The owner, who has looked at everything."""
    fuzzer = Fuzzer(whole_world)
    fuzzer.learn()
    return fuzzer


@pytest.fixture
def owner(learnt_owner: Fuzzer) -> Fuzzer:
    """She knows all forms, and has found nothing yet."""
    learnt_owner.begin()
    return learnt_owner
