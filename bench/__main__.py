"""`make bench`: builds what is not built yet, measures every path at every size, prints the table and writes JSON.

SIZES names the practices by their visits, BENCH_ONLY the paths by a part of their key. Builds are kept and used again;
what writes is measured on a copy. A run of named paths alone keeps the JSON of the last whole run.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from daysheet.database.cluster import Cluster

from . import home
from .report import RESULTS, Size, print_report, write_report

#: Small enough for a few minutes on two cores. The full run is SIZES=10000,100000,1000000.
_SIZES = "10000,100000"
_ROUNDS = "15"


def main() -> int:
    sizes = sorted({int(text) for text in (os.environ.get("SIZES") or _SIZES).split(",")})
    rounds = int(os.environ.get("BENCH_ROUNDS") or _ROUNDS)
    cluster = home.server(fast=True)
    try:
        for visits in sizes:
            home.make_ready(cluster, visits)
        cluster = home.server(fast=False)
        measured = [_measure(cluster, visits, rounds) for visits in sizes]
    finally:
        home.stop()
    over = print_report(measured)
    if _only():
        return 1 if over else 0
    target = RESULTS / f"benchmark-{sizes[-1]}.json"
    write_report(measured, target)
    print(f"\nwritten to {target.relative_to(home.ROOT)}")
    return 1 if over else 0


def _measure(cluster: Cluster, visits: int, rounds: int) -> Size:
    name = home.name_of(visits)
    print(f"\nmeasuring {visits:,} visits", flush=True)
    reads = _part(cluster, name, "reads", rounds)
    copy = f"{name}_copy"
    home.copy_database(cluster, name, copy)
    try:
        writes = _part(cluster, copy, "writes", rounds)
    finally:
        cluster.drop_database(copy)
    return Size(home.recall(cluster.owner_url(name)), [*reads, *writes])


def _part(cluster: Cluster, database: str, part: str, rounds: int) -> list[dict[str, object]]:
    """Each part in a process of its own, so that its memory is its own."""
    out = home.folder() / f"{database}-{part}.json"
    home.run(cluster, database, "bench.measure", part, "--rounds", str(rounds), "--out", str(out), "--only", _only())
    found: list[dict[str, object]] = json.loads(out.read_text(encoding="utf-8"))
    return found


def _only() -> str:
    """A part of the keys of the paths that are wanted; empty: all."""
    return os.environ.get("BENCH_ONLY") or ""


if __name__ == "__main__":
    if Path.cwd() != home.ROOT:
        os.chdir(home.ROOT)
    sys.exit(main())
