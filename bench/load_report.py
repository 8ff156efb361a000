"""From the pages that people waited for to the table, the verdict and the JSON of bench.load."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .people_at_work import Answer
from .report import RESULTS, measured_on
from .watching import Seen

#: How much longer a page may take beside a batch: at the 95th percentile, of all pages and of each kind.
MOST_SLOWER = 2.0
#: A 95th percentile of fewer pages is one unlucky click: of a kind of page it is shown and not judged; a phase with
#: fewer pages was not measured.
FEW = 100


def summary_of(answers: Sequence[Answer], seen: Mapping[str, Seen], phase: str) -> dict[str, Any]:
    """How long the pages of a phase took, in ms, what went wrong, and who computed and waited meanwhile."""
    here = [each for each in answers if each.phase == phase]
    kinds = sorted({each.kind for each in here})
    return {
        "all": _times(here),
        "pages": {kind: _times([each for each in here if each.kind == kind]) for kind in kinds},
        "error_count": sum(each.is_error for each in here),
        **seen[phase].summary(),
    }


def errors_of(answers: Sequence[Answer]) -> list[str]:
    """What went wrong at any time, also while everybody was still coming: the first of it, and how much there was."""
    errors = [f"{each.phase}: {each.words or each.status}" for each in answers if each.is_error]
    return errors[:20] + [f"{len(errors):,} errors in all"] * (len(errors) > 20)


def _times(answers: Sequence[Answer]) -> dict[str, float]:
    seconds = sorted(each.seconds for each in answers) or [0.0]
    cuts = statistics.quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else seconds * 99
    found = {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "worst": max(seconds)}
    return {"count": len(answers), **{name: round(value * 1000, 1) for name, value in found.items()}}


def ratio_of_turns(answers: Sequence[Answer]) -> float | None:
    """The p95 of all pages beside the batch over the one without it, turn by turn; of these the median. Where others
    use the machine too it says more than the p95 of all turns together, whose top may be one bad moment. None where
    nothing was measured."""
    ratios = []
    for turn in {each.turn for each in answers if each.phase == "beside"}:
        without, beside = (
            _times([each for each in answers if (each.phase, each.turn) == (phase, turn)])
            for phase in ("without", "beside")
        )
        ratios.append(_ratio(without, beside))
    found = statistics.median(ratios) if ratios else math.inf
    return round(found, 2) if math.isfinite(found) else None


def failures_of(report: Mapping[str, Any]) -> list[str]:
    """What is not as it has to be, in words."""
    failures = [*report["errors"], *_unmeasured(report)]
    seconds = report["batch_seconds"]
    if None in (seconds["nobody there"], *seconds["beside people"]):
        failures.append("a batch was not done in time")
    for kind, without, beside in _pairs(report):
        is_judged = kind == "all pages" or min(without["count"], beside["count"]) >= FEW
        if is_judged and _ratio(without, beside) > MOST_SLOWER:
            failures.append(
                f"{kind}: p95 {beside['p95']:.0f} ms beside the batch is {_ratio(without, beside):.2f} x "
                f"{without['p95']:.0f} ms without it, over {MOST_SLOWER}"
            )
    return failures + [f"verify: {words}" for words in report["differences"]]


def _unmeasured(report: Mapping[str, Any]) -> Iterator[str]:
    """What was not looked at often enough, or not in both phases: no figure of it says anything."""
    for phase, other in (("without", "beside"), ("beside", "without")):
        count = report[phase]["all"]["count"]
        if count < FEW:
            yield f"{phase}: {count} pages are too few to say anything: at least {FEW}"
        for kind in sorted(report[other]["pages"].keys() - report[phase]["pages"].keys()):
            yield f"{phase}: {kind} was never asked for"


def _pairs(report: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, float], Mapping[str, float]]]:
    """All pages, then each kind there was in both phases: its times without and beside the batch."""
    without, beside = report["without"], report["beside"]
    yield "all pages", without["all"], beside["all"]
    for kind in sorted(without["pages"].keys() & beside["pages"].keys()):
        yield kind, without["pages"][kind], beside["pages"][kind]


def _ratio(without: Mapping[str, float], beside: Mapping[str, float]) -> float:
    return beside["p95"] / without["p95"] if without["p95"] else math.inf


def print_load(report: Mapping[str, Any]) -> None:
    """The table: times of pages, what processors did, what the server's processes waited for."""
    print(f"{report['people']} people, ms:  {'without the batch':>34} {'beside it':>40}     p95")
    print(f"{'':<12} {'pages':>7} {'p50':>8} {'p95':>8} {'p99':>8} {'worst':>8} {'pages':>7} {'p50':>8} {'p95':>8} "
          f"{'p99':>8} {'worst':>8}   ratio")  # fmt: skip
    for kind, without, beside in _pairs(report):
        print(f"{kind:<12} {_row(without)} {_row(beside)} {_ratio(without, beside):7.2f}")
    print(f"p95 of all pages turn by turn, median: {report['ratio_of_turns'] or 'not measured'}")
    seconds = report["batch_seconds"]
    print(f"seconds of a batch of {report['batch_visits']:,} visits: {seconds['nobody there']} with nobody there, "
          f"{', '.join(map(str, seconds['beside people']))} beside them")  # fmt: skip
    for phase in ("without", "beside"):
        print(f"{phase}: cores: " + _facts(report[phase]["cores"]))
        for side, waits in report[phase]["waits"].items():
            print(f"   what PostgreSQL did for {side}, per cent: {_facts(waits)}")


def _row(times: Mapping[str, float]) -> str:
    return f"{times['count']:7.0f} " + " ".join(f"{times[name]:8.1f}" for name in ("p50", "p95", "p99", "worst"))


def _facts(facts: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in facts.items())


def write_load(report: Mapping[str, Any], failures: Sequence[str]) -> None:
    """Keep the run as JSON, with the commit and the machine."""
    RESULTS.mkdir(exist_ok=True)
    kept = json.dumps({**measured_on(), **report, "failures": failures}, indent=1)
    (RESULTS / "load.json").write_text(kept + "\n", encoding="utf-8")
