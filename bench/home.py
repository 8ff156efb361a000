"""Where the benchmark lives: an embedded server and one database for each size, in a folder of their own.

A database is built under another name and renamed when it is whole, so that a build that was killed goes on and a whole
one is used again. `BENCH_HOME` moves the folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from daysheet.database.cluster import Cluster
from daysheet.database.server import EmbeddedServer

ROOT = Path(__file__).resolve().parent.parent

_FOLDER = ".daysheet-bench"


class NotBuilt(Exception):
    """The database holds no whole practice of the benchmark."""


def folder() -> Path:
    """The data folder of the benchmark's own server."""
    return Path(os.environ.get("BENCH_HOME") or ROOT / _FOLDER).absolute()


def server(*, fast: bool) -> Cluster:
    """The embedded server, running. `fast`: without waiting for the disk, to build; else as a practice has it."""
    os.environ["DAYSHEET_HOME"] = str(folder())
    os.environ["DAYSHEET_PG_FAST"] = "1" if fast else ""
    embedded = EmbeddedServer(folder())
    running = embedded.status()
    if running and is_fast(running) != fast:
        embedded.stop()
    return embedded.ensure_running()


def is_fast(cluster: Cluster) -> bool:
    with psycopg.connect(cluster.owner_url("postgres")) as connection:
        row = connection.execute("SHOW fsync").fetchone()
    return bool(row and row[0] == "off")


def environment(cluster: Cluster, database: str) -> dict[str, str]:
    """What a process needs to work on one of the databases."""
    addresses = {"DATABASE_URL": cluster.app_url(database), "DATABASE_OWNER_URL": cluster.owner_url(database)}
    return {**os.environ, **addresses, "DJANGO_SETTINGS_MODULE": "daysheet.config.settings"}


def use(cluster: Cluster, database: str) -> None:
    """Let this process and those that it starts work on one of the databases."""
    os.environ.update(environment(cluster, database))


def name_of(visits: int) -> str:
    """The database of a size."""
    return f"bench_{visits}"


def rename_database(cluster: Cluster, name: str, new: str) -> None:
    with psycopg.connect(cluster.owner_url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(new)))


def copy_database(cluster: Cluster, name: str, copy: str) -> None:
    """A copy to write in, with what is remembered of the first."""
    cluster.drop_database(copy)
    cluster.create_database(copy, template=name)
    remember(recall(cluster.owner_url(name)), cluster.owner_url(copy))


def migrate(cluster: Cluster, database: str) -> None:
    """Bring the tables of an earlier build up to date."""
    command = [sys.executable, "-m", "django", "migrate", "--database=owner", "-v0"]
    subprocess.run(command, cwd=ROOT, env=environment(cluster, database), check=True)


def make_ready(cluster: Cluster, visits: int) -> None:
    """Build the practice of a size, or bring the tables of an earlier build up to date."""
    name = name_of(visits)
    if cluster.database_exists(name):
        migrate(cluster, name)
        return
    building = f"{name}_building"
    if not cluster.database_exists(building):
        cluster.create_database(building)
    migrate(cluster, building)
    began = time.monotonic()
    run(cluster, building, "bench.build", str(visits), "--beside", str(visits // 5000))
    print(f"built in {time.monotonic() - began:.0f} s", flush=True)
    rename_database(cluster, building, name)


def run(cluster: Cluster, database: str, module: str, *arguments: str) -> None:
    """A part of the benchmark in a process of its own, on one of the databases."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment(cluster, database), check=False)
    if done.returncode:
        raise SystemExit(f"{module} {' '.join(arguments[:1])} ended with {done.returncode}")


def stop() -> None:
    """Stop the benchmark's own server."""
    EmbeddedServer(folder()).stop()


def remember(facts: dict[str, Any], owner_url: str = "") -> None:
    """Write on the database itself what it holds: it has been built to the end."""
    with psycopg.connect(owner_url or os.environ["DATABASE_OWNER_URL"], autocommit=True) as connection:
        name = connection.info.dbname
        comment = sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(json.dumps(facts)))
        connection.execute(comment)


def recall(owner_url: str = "") -> dict[str, Any]:
    """What `remember` wrote. Raises NotBuilt."""
    with psycopg.connect(owner_url or os.environ["DATABASE_OWNER_URL"]) as connection:
        row = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    if not row or not row[0]:
        raise NotBuilt
    facts: dict[str, Any] = json.loads(row[0])
    return facts
