"""`python -m bench.build VISITS`: loads the practice into the migrated database that the environment names, and lets
`verify` look at it. A build that was stopped goes on. What it is to hold is written on the database first, how long it
took last of all.
"""

from __future__ import annotations

import argparse
import io
import time
from datetime import date

import django

from . import home
from .shape import Shape, last_saturday, small_practice


def main() -> None:
    options = _parser().parse_args()
    django.setup()
    from daysheet.config.verify import run_verify

    from .loading.history import analyze, load_practice
    from .sql import owner

    shape = Shape(options.visits, _day_of_build(options))
    began = time.monotonic()
    with owner() as connection:
        load_practice(connection, shape, _say, logins=options.logins)
        for number in range(options.beside):
            load_practice(connection, small_practice(number, shape.today))
        analyze(connection, vacuum=True)
    seconds = time.monotonic() - began
    _say(f"{shape.visits:,} visits and {options.beside} practices beside: loaded in {seconds:.0f} s; verifying …")
    out = io.StringIO()
    if run_verify(None, out):
        raise SystemExit(f"What was loaded is not right:\n{out.getvalue()}")
    home.remember({**home.recall(), "seconds": round(seconds)})


def _day_of_build(options: argparse.Namespace) -> date:
    """The Saturday that the practice is built for: of the first start, where this one goes on with it."""
    try:
        return date.fromisoformat(home.recall()["today"])
    except home.NotBuilt:
        today = last_saturday(date.today())
        home.remember({"visits": options.visits, "today": today.isoformat(), "beside": options.beside})
        return today


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.build", description=__doc__)
    parser.add_argument("visits", type=int)
    parser.add_argument("--beside", type=int, default=0, help="small practices in the same database")
    parser.add_argument("--logins", type=int, default=60, help="staff who can sign in: for bench.load")
    return parser


def _say(words: str) -> None:
    print(words, flush=True)


if __name__ == "__main__":
    main()
