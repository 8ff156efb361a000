"""`python -m bench.load`: fifty people at once over HTTP, first alone, then while a batch of 20,000 visits runs.

A real `daysheet serve` on loopback serves a copy of a built practice. Everybody does what a practice does: looks at the
agenda, searches, opens ledgers, adds invoices, takes payments, and thinks between two clicks. It ends by itself, with
`verify`; an error, a deadlock that somebody saw, or a p95 more than twice as long under the batch is a failure.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import django

from daysheet.database.cluster import Cluster

from . import home
from .people_at_work import Answer, Office
from .report import RESULTS, measured_on
from .serving import Serving, serving

PEOPLE, BATCH_VISITS = 50, 20_000
#: The batch may take as long as this; then the run ends without it.
MOST_SECONDS = 420
#: How much longer a page may take while the batch runs.
MOST_SLOWER = 2.0


def main() -> int:
    options = _parser().parse_args()
    cluster = home.server(fast=False)
    name, copy = home.name_of(options.visits), f"{home.name_of(options.visits)}_load"
    if not cluster.database_exists(name):
        raise SystemExit(f"build it first: make bench SIZES={options.visits}")
    home.copy_database(cluster, name, copy)
    home.migrate(cluster, copy)
    try:
        report = _run(cluster, copy, options)
    finally:
        cluster.drop_database(copy)
        home.stop()
    failures = _failures(report)
    target = RESULTS / "load.json"
    target.write_text(json.dumps({**measured_on(), **report, "failures": failures}, indent=1) + "\n", encoding="utf-8")
    print("\n".join(failures) or "within budget")
    return 1 if failures else 0


def _run(cluster: Cluster, database: str, options: argparse.Namespace) -> dict[str, Any]:
    home.use(cluster, database)
    django.setup()
    from .load_work import Preparation

    prepared = Preparation.make(options.visits, people=options.people, batch=options.batch)
    with serving(log=home.folder() / "load-server.log") as server:
        office = Office(server.address, prepared.desks, think_seconds=options.think)
        with office.open():
            office.during("warming up", options.seconds / 4)
            office.during("alone", options.seconds)
            batch_id = prepared.start_batch()
            took = _until_done(server, office, prepared, batch_id)
    differences = prepared.differences()
    return {
        "visits": options.visits, "people": options.people, "batch_visits": options.batch,
        "batch_seconds": took, "differences": differences,
        **{phase: _summary([each for each in office.answers if each.phase == phase]) for phase in ("alone", "batch")},
    }  # fmt: skip


def _until_done(server: Serving, office: Office, prepared: Any, batch_id: Any) -> float | None:
    """Seconds that the batch took beside everybody; None where it was not done in time."""
    began = time.monotonic()
    while time.monotonic() - began < MOST_SECONDS:
        office.during("batch", 1.0)
        server.check()
        if prepared.is_done(batch_id):
            return round(time.monotonic() - began, 1)
    return None


def _summary(answers: Sequence[Answer]) -> dict[str, Any]:
    """How long pages took, in ms, and what went wrong."""
    kinds = sorted({each.kind for each in answers})
    return {
        "pages": {kind: _times([each for each in answers if each.kind == kind]) for kind in kinds},
        "all": _times(answers), "errors": [each.words for each in answers if each.is_error][:20],
        "error_count": sum(each.is_error for each in answers),
    }  # fmt: skip


def _times(answers: Sequence[Answer]) -> dict[str, float]:
    seconds = sorted(each.seconds for each in answers)
    percentiles = statistics.quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else seconds * 99
    found = {"count": len(seconds), "p50": percentiles[49] * 1000, "p95": percentiles[94] * 1000}
    return {**{name: round(value, 1) for name, value in found.items()}, "worst": round(max(seconds) * 1000, 1)}


def _failures(report: dict[str, Any]) -> list[str]:
    failures = [f"{phase}: {words}" for phase in ("alone", "batch") for words in report[phase]["errors"]]
    alone, batch = report["alone"]["all"], report["batch"]["all"]
    for phase, times in (("alone", report["alone"]), ("batch", report["batch"])):
        print(f"{phase}: " + _row(times["all"]))
        for kind, each in times["pages"].items():
            print(f"   {kind:<12} " + _row(each))
    print(f"the batch of {report['batch_visits']:,} visits took {report['batch_seconds']} s beside them")
    if report["batch_seconds"] is None:
        failures.append(f"the batch was not done in {MOST_SECONDS} s")
    if batch["p95"] > MOST_SLOWER * alone["p95"]:
        failures.append(f"p95 {batch['p95']} ms during the batch > {MOST_SLOWER} x {alone['p95']} ms without it")
    return failures + [f"verify: {words}" for words in report["differences"]]


def _row(times: dict[str, float]) -> str:
    return f"{times['count']:6.0f} pages  p50 {times['p50']:8.1f}  p95 {times['p95']:8.1f}  worst {times['worst']:8.1f}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--visits", type=int, default=100_000, help="which build to work on")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--batch", type=int, default=BATCH_VISITS, help="visits of the batch")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long everybody works without the batch")
    parser.add_argument("--think", type=float, default=3.0, help="seconds between two clicks, on average")
    return parser


if __name__ == "__main__":
    if Path.cwd() != home.ROOT:
        raise SystemExit("run it in the folder of the project")
    sys.exit(main())
