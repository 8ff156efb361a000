"""Gives every pytest process a database of its own before Django reads its settings.

The embedded server of `.daysheet-test` holds one migrated template per state of the migrations; each process clones it,
connects as the restricted runtime role, and drops its clone at the end.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.nodeid import NodeId

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".daysheet-test"
os.environ["DAYSHEET_HOME"] = str(HOME)
os.environ["DAYSHEET_PG_FAST"] = "1"
os.environ["DAYSHEET_TESTING"] = "1"
os.environ["DJANGO_SETTINGS_MODULE"] = "daysheet.config.settings"

from daysheet.database.cluster import Cluster  # noqa: E402
from daysheet.database.server import EmbeddedServer  # noqa: E402

_NAME = f"daysheet_test_{os.getpid()}"


def _migrations_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted([*ROOT.glob("daysheet/*/migrations/*.py"), ROOT / "daysheet/database/operations.py"]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _template(cluster: Cluster) -> str:
    name = f"daysheet_template_{_migrations_digest()}"
    if not cluster.database_exists(name):
        building = f"{name}_building"
        cluster.drop_database(building)
        cluster.create_database(building)
        environment = os.environ | {
            "DATABASE_URL": cluster.app_url(building),
            "DATABASE_OWNER_URL": cluster.owner_url(building),
        }
        subprocess.run(
            [sys.executable, "-m", "django", "migrate", "--database=owner", "-v0"],
            check=True,
            cwd=ROOT,
            env=environment,
        )
        cluster.create_database(name, template=building)
        cluster.drop_database(building)
    return name


def _drop_abandoned(cluster: Cluster) -> None:
    import psycopg

    with psycopg.connect(cluster.owner_url("postgres")) as connection:
        names = [row[0] for row in connection.execute("SELECT datname FROM pg_database").fetchall()]
    for name in names:
        pid = re.match(r"daysheet_test_(\d+)", name)
        if pid and not Path(f"/proc/{pid[1]}").exists():
            cluster.drop_database(name)


def clone_beside(kind: str) -> tuple[str, str]:
    """One more clone, as the migrations made it: nothing in it is seen by the other tests of this process.
    Returns the addresses of the runtime role and of the owner."""
    name = f"{_NAME}_{kind}"
    with (HOME / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        CLUSTER.drop_database(name)
        CLUSTER.create_database(name, template=_template(CLUSTER))
    return CLUSTER.app_url(name), CLUSTER.owner_url(name)


def drop_clone_beside(kind: str) -> None:
    """Its server has to be stopped first."""
    CLUSTER.drop_database(f"{_NAME}_{kind}")


HOME.mkdir(exist_ok=True)
CLUSTER = EmbeddedServer(HOME).ensure_running()
with (HOME / "template.lock").open("w") as _lock:
    fcntl.flock(_lock, fcntl.LOCK_EX)
    _drop_abandoned(CLUSTER)
    CLUSTER.drop_database(_NAME)
    CLUSTER.create_database(_NAME, template=_template(CLUSTER))
os.environ["DATABASE_URL"] = CLUSTER.app_url(_NAME)
os.environ["DATABASE_OWNER_URL"] = CLUSTER.owner_url(_NAME)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--dist loadgroup`, the tests of one xdist_group stay on one worker. pytest-xdist 3.8 writes the group where
    pytest 9.2 reads no name any more (pytest-xdist issue 1386), and spreads them without a word."""
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        groups = "_".join(sorted({mark.args[0] for mark in item.iter_markers("xdist_group")}))
        if groups and not item.nodeid.endswith(f"@{groups}"):
            item._id = NodeId.parse(f"{item.nodeid}@{groups}")


def pytest_unconfigure(config: object) -> None:
    """Drop this process's clone."""
    from django.db import connections

    connections.close_all()
    CLUSTER.drop_database(_NAME)
