"""`python -m bench.build VISITS`: loads the practice into the (migrated, empty) database that the environment names,
and lets `verify` look at it. What it holds is written on the database last of all.
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

    shape = Shape(options.visits, last_saturday(date.today()))
    began = time.monotonic()
    with owner() as connection:
        load_practice(connection, shape, _say, logins=options.logins)
        for number in range(options.beside):
            load_practice(connection, small_practice(number, shape.today), lambda words: None)
        analyze(connection, vacuum=True)
    seconds = time.monotonic() - began
    _say(f"{shape.visits:,} visits and {options.beside} practices beside: loaded in {seconds:.0f} s; verifying …")
    out = io.StringIO()
    if run_verify(None, out):
        raise SystemExit(f"What was loaded is not right:\n{out.getvalue()}")
    home.remember({"visits": shape.visits, "today": shape.today.isoformat(), "beside": options.beside,
                   "seconds": round(seconds)})  # fmt: skip


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
