"""`python -m bench.load`: fifty people at once over HTTP, without and with a batch of 20,000 visits beside them.

A real `daysheet serve` on loopback serves a copy of a built practice (which is built if there is none). Everybody does
what a practice does: looks at the agenda, searches, opens ledgers, adds invoices, takes payments, and thinks between
clicks. People without and with a batch take turns in one run, so that whatever else the machine does happens to both.
It ends by itself, with `verify`; an error at any time, a deadlock that somebody saw, a page that leads to the sign-in,
too few pages to say anything, or a p95 more than twice as long beside the batch is a failure. `bench/results/load.json`
keeps the figures.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import django

from daysheet.database.cluster import Cluster

from . import home
from .load_report import MOST_SLOWER, errors_of, failures_of, print_load, ratio_of_turns, summary_of, write_load
from .people_at_work import Office
from .serving import Serving, serving
from .watching import Watch

PEOPLE, BATCH_VISITS, ROUNDS = 50, 20_000, 4
#: A batch may take as long as this; then the run ends without it.
MOST_SECONDS = 180


def main() -> int:
    options = _parser().parse_args()
    cluster = home.server(fast=True)
    home.make_ready(cluster, options.visits)
    cluster = home.server(fast=False)
    name = home.name_of(options.visits)
    copy = f"{name}_load"
    home.copy_database(cluster, name, copy)
    try:
        report = _run(cluster, copy, options)
    finally:
        cluster.drop_database(copy)
        home.stop()
    print_load(report)
    failures = failures_of(report)
    print("\n".join(failures) or f"within budget: p95 of pages beside the batch at most {MOST_SLOWER} x p95 without it")
    write_load(report, failures)
    return 1 if failures else 0


def _run(cluster: Cluster, database: str, options: argparse.Namespace) -> dict[str, Any]:
    home.use(cluster, database)
    django.setup()
    from .load_work import Preparation

    prepared = Preparation.make(options.visits, people=options.people, batch=options.batch, batches=options.rounds + 1)
    with serving(log=home.folder() / "load-server.log") as server:
        nobody_there = _batch(server, prepared, lambda: time.sleep(0.2))
        office = Office(server.address, prepared.desks, think_seconds=options.think)
        watch = Watch(server.process.pid, lambda: office.phase)
        beside = []
        with office.open(), watch.open():
            office.during("warming up", 0, options.seconds / 2)
            for turn in range(options.rounds):
                office.during("without", turn, options.seconds)
                beside.append(_batch(server, prepared, partial(office.during, "beside", turn, 0.2)))
    return {
        "visits": options.visits, "people": options.people, "think_seconds": options.think,
        "batch_visits": options.batch, "batch_seconds": {"nobody there": nobody_there, "beside people": beside},
        "differences": prepared.differences(), "errors": errors_of(office.answers),
        "ratio_of_turns": ratio_of_turns(office.answers),
        **{phase: summary_of(office.answers, watch.seen, phase) for phase in ("without", "beside")},
    }  # fmt: skip


def _batch(server: Serving, prepared: Any, meanwhile: Callable[[], None]) -> float | None:
    """Start the next batch; seconds until it was done. None where it was not done in time."""
    batch_id, began = prepared.start_batch(), time.monotonic()
    while time.monotonic() - began < MOST_SECONDS:
        meanwhile()
        server.check()
        if prepared.is_done(batch_id):
            return round(time.monotonic() - began, 1)
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--visits", type=int, default=100_000, help="which build to work on")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--batch", type=int, default=BATCH_VISITS, help="visits of each batch")
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help="how often people without and with a batch take turns"
    )
    parser.add_argument("--seconds", type=float, default=25.0, help="of everybody at work without the batch, each time")
    parser.add_argument("--think", type=float, default=3.0, help="seconds between two clicks, on average")
    return parser


if __name__ == "__main__":
    if Path.cwd() != home.ROOT:
        raise SystemExit("run it in the folder of the project")
    sys.exit(main())
