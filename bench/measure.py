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

from .measuring import Path, measure
from .report import row_of


def main() -> None:
    options = _parser().parse_args()
    django.setup()
    from .paths.bench import opened

    with opened() as bench:
        found = []
        for path in _paths(options)(bench):
            if options.only and options.only not in path.key:
                continue
            measured = measure(path, options.rounds)
            found.append({**asdict(measured), "failures": measured.failures})
            print(row_of(found[-1]), flush=True)
    if options.out:
        options.out.write_text(json.dumps(found), encoding="utf-8")


def _paths(options: argparse.Namespace) -> Callable[..., Iterator[Path]]:
    if options.part == "writes":
        from .paths.writing import writing_paths

        return lambda bench: writing_paths(bench, tuple(options.batch))
    from .paths.open_money import open_money_paths
    from .paths.pages import page_paths
    from .paths.reports import report_paths

    return lambda bench: (path for paths in (page_paths, open_money_paths, report_paths) for path in paths(bench))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.measure", description=__doc__)
    parser.add_argument("part", choices=["reads", "writes"])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--batch", type=int, nargs="+", default=[1_000, 10_000, 100_000], help="visits of each batch")
    parser.add_argument("--only", default="", help="paths whose key has this in it")
    parser.add_argument("--out", type=File, help="where the JSON goes")
    return parser


if __name__ == "__main__":
    main()
