"""From what was measured to the table that is printed and the JSON that is kept."""

from __future__ import annotations

import itertools
import json
import os
import platform
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .home import ROOT
from .measuring import exponent

RESULTS = ROOT / "bench" / "results"
#: How time may grow with the size of the practice, or of the batch.
MOST_GROWTH = 1.1
_HEADER = (
    f"{'path':<38} {'median ms':>10} {'(middle half)':>17} {'queries':>7} {'of them ms':>10} {'floor ms':>10} "
    f"{'ratio':>6} {'(middle half)':>13} {'cpu':>5} {'budget':>6} {'MB':>5}"
)


@dataclass(frozen=True, slots=True)
class Size:
    """What was measured on one practice."""

    facts: Mapping[str, Any]
    paths: Sequence[Mapping[str, Any]]


def print_report(sizes: Sequence[Size]) -> int:
    """The whole table; returns how many budgets do not hold."""
    over: list[str] = []
    for size in sizes:
        print(f"\n{size.facts['visits']:,} visits, {size.facts['beside']} practices beside\n{_HEADER}")
        for path in size.paths:
            print(row_of(path))
            over += [f"{size.facts['visits']:,}: {path['title']}: {words}" for words in path["failures"]]
    print("\ngrowth: the exponent of time over size, of the clock and of processors (1 is linear)")
    for each in growth_of(sizes):
        print(f"  {each['title']:<38} {each['from']:>9,} to {each['to']:>9,} {each['of']:<7} "
              f"{each['clock']:6.2f} {each['cpu']:6.2f}")  # fmt: skip
        if min(each["clock"], each["cpu"]) > MOST_GROWTH:
            over.append(f"{each['title']}: grows by {each['clock']:.2f}, {each['cpu']:.2f} > {MOST_GROWTH}")
    print(f"\n{len(over)} over budget" + "".join(f"\n  {words}" for words in over))
    return len(over)


def row_of(path: Mapping[str, Any]) -> str:
    """One path's row, as of `measure`."""
    seconds, floor, ratio, cpu = path["seconds"], path["floor"], path["ratio"], path["cpu_ratio"]
    budget = path["budget"]["ratio"]
    return (
        f"{path['title']:<38} {_ms(seconds['median']):>10} {_between(seconds, _ms):>17} {path['queries']:>7} "
        f"{_ms(path['database']['median']):>10} {_ms(floor['median']) if floor else '':>10} "
        f"{_two(ratio['median']) if ratio else '':>6} {_between(ratio, _two) if ratio else '':>13} "
        f"{_two(cpu['median']) if cpu else '':>5} {_two(budget) if budget else '':>6} {path['peak_mb']:>5.0f}"
        + (f"  OVER: {', '.join(path['failures'])}" if path["failures"] else "")
    )


def growth_of(sizes: Sequence[Size]) -> list[dict[str, Any]]:
    """How the time of each path grows from the smallest practice to the largest, and of batches with their size."""
    if not sizes:
        return []
    found = [_batches(size) for size in sizes[-1:]]
    return [each for group in (*found, _practices(sizes)) for each in group]


def _practices(sizes: Sequence[Size]) -> Iterator[dict[str, Any]]:
    smallest = {path["key"]: (size.facts["visits"], path) for size in reversed(sizes) for path in size.paths}
    largest = {path["key"]: (size.facts["visits"], path) for size in sizes for path in size.paths}
    for key, (visits, path) in largest.items():
        before, small = smallest[key]
        if before < visits:
            yield _growth(path["title"], "visits", (before, small), (visits, path))


def _batches(size: Size) -> Iterator[dict[str, Any]]:
    batches = [path for path in size.paths if re.fullmatch(r"batch_\d+", path["key"])]
    for small, large in itertools.pairwise(batches):
        yield _growth("batch invoicing", "billed", (small["units"], small), (large["units"], large))


def _growth(
    title: str, of: str, small: tuple[int, Mapping[str, Any]], large: tuple[int, Mapping[str, Any]]
) -> dict[str, Any]:
    clock, cpu = (
        exponent((small[0], small[1][kind]["median"]), (large[0], large[1][kind]["median"]))
        for kind in ("seconds", "cpu")
    )
    return {"title": title, "of": of, "from": small[0], "to": large[0], "clock": round(clock, 3), "cpu": round(cpu, 3)}


def measured_on() -> dict[str, Any]:
    """The commit that was measured, when, and what it ran on; no path of the machine."""
    return {
        "commit": _git("rev-parse", "--short", "HEAD"), "is_changed": bool(_git("status", "--porcelain", "daysheet")),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": _machine(),
    }  # fmt: skip


def write_report(sizes: Sequence[Size], target: Path) -> None:
    """As JSON."""
    report = {
        **measured_on(),
        "sizes": [{**size.facts, "paths": size.paths} for size in sizes], "growth": growth_of(sizes),
    }  # fmt: skip
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    return {"cores": os.cpu_count(), "memory_gb": memory, "python": platform.python_version()}


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.1f}"


def _two(number: float) -> str:
    return f"{number:.2f}"


def _between(spread: Mapping[str, float], shown: Any) -> str:
    return f"{shown(spread['low'])}-{shown(spread['high'])}"
