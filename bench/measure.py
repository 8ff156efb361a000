"""`python -m bench.measure PART`: measures the paths of one part on the database that the environment names, and writes
what came of it as JSON. `reads` writes nothing; `writes` bills, posts and imports, so it is given a copy.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path as File

import django

from .measuring import Measured, Path, measure


def main() -> None:
    options = _parser().parse_args()
    django.setup()
    from .paths.bench import opened

    with opened() as bench:
        found = []
        for path in _paths(options.part)(bench):
            if options.only and options.only not in path.key:
                continue
            measured = measure(path, options.rounds)
            found.append(measured)
            print(line_of(measured), flush=True)
    if options.out:
        options.out.write_text(json.dumps([asdict(each) for each in found], indent=1), encoding="utf-8")


def line_of(each: Measured) -> str:
    """One row of the table that is printed."""
    floor = f"{each.floor.median * 1000:9.1f}" if each.floor else " " * 9
    ratio = f"{each.ratio.median:5.2f} ({each.ratio.low:.2f}-{each.ratio.high:.2f})" if each.ratio else " " * 18
    cpu = f"cpu {each.cpu_ratio.median:.2f} ({each.cpu_ratio.low:.2f}-{each.cpu_ratio.high:.2f})" if each.cpu_ratio else ""
    over = f"  OVER: {', '.join(each.failures)}" if each.failures else ""
    return (
        f"{each.title:<38} {each.seconds.median * 1000:9.1f} ms ({each.seconds.low * 1000:.1f}-"
        f"{each.seconds.high * 1000:.1f})  queries {each.queries:5} in {each.database.median * 1000:8.1f} ms  "
        f"floor {floor} ms  ratio {ratio:<18} {cpu:<20} {each.peak_mb:5.0f} MB{over}"
    )


def _paths(part: str) -> Callable[..., Iterator[Path]]:
    if part == "writes":
        from .paths.writing import writing_paths

        return writing_paths
    from .paths.pages import page_paths
    from .paths.reports import report_paths

    return lambda bench: (path for paths in (page_paths, report_paths) for path in paths(bench))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.measure", description=__doc__)
    parser.add_argument("part", choices=["reads", "writes"])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="", help="paths whose key has this in it")
    parser.add_argument("--out", type=File)
    return parser


if __name__ == "__main__":
    main()
