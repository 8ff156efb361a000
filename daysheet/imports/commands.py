"""`daysheet import PRACTICE PATH…`: files or folders of templates, in the order in which they need each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from daysheet.database.scope import practice_transaction
from daysheet.kit.dates import utc_now
from daysheet.kit.errors import Refusal
from daysheet.practices.actor import Actor, ActorKind, system_actor
from daysheet.practices.models import Practice
from daysheet.staff.actors import practice_facts

from .actions import Imported, ImportRefused, import_file
from .layouts import LAYOUTS

OK, REFUSED, USAGE = 0, 1, 2
#: This many errors of a file are printed; the page shows all.
_MOST_ERRORS = 50
_ENDINGS = (".csv", ".xlsx")
Out = Callable[[str], None]


class _OnlyTrying(Exception):
    """Ends a dry run, so that its one transaction is rolled back."""


def run_import(practice_slug: str, paths: Sequence[str | Path], *, dry_run: bool = False, out: Out = print) -> int:
    """Import files, or the folders they lie in, and say what became of each. Returns the exit code: 0 done, 1 a file
    was refused (nothing of it was written; what was imported before it stays), 2 nothing to do that makes sense.

    A dry run does everything in one transaction and rolls it back, so that files may refer to each other.
    """
    practice = Practice.objects.filter(slug=practice_slug).first()
    if practice is None:
        known = ", ".join(Practice.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
        out(f"There is no practice “{practice_slug}”. Practices here: {known}.")
        return USAGE
    files, complaints = _files(paths)
    for complaint in complaints:
        out(complaint)
    if complaints or not files:
        out(
            f"Nothing was imported. A file is named after its template: {', '.join(f'{kind}.csv' for kind in LAYOUTS)}."
        )
        return USAGE
    actor = system_actor(practice_facts(practice), utc_now(), ActorKind.COMMAND, "daysheet import")
    return _dry_run(actor, files, out) if dry_run else _run(actor, files, out)


def kind_of(path: Path) -> str | None:
    """Which template a file is: by its name, `clients.csv` or `2026-11-clients.xlsx`."""
    stem = path.stem.lower().replace("-", "_").replace(" ", "_")
    return next((kind for kind in LAYOUTS if stem == kind or stem.endswith(f"_{kind}")), None)


def _files(paths: Iterable[str | Path]) -> tuple[list[tuple[str, Path]], list[str]]:
    """(kind, path) in the order of the templates, and what is wrong with what was named."""
    found: list[tuple[str, Path]] = []
    complaints: list[str] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(entry for entry in path.iterdir() if entry.suffix.lower() in _ENDINGS)
            known = [(kind, entry) for entry in inside if (kind := kind_of(entry))]
            found += known
            if not known:
                complaints.append(f"{path}: no file in this folder is named after a template.")
        elif not path.is_file():
            complaints.append(f"{path}: there is no such file.")
        elif (kind := kind_of(path)) is None or path.suffix.lower() not in _ENDINGS:
            complaints.append(f"{path}: its name does not say which template it is.")
        else:
            found.append((kind, path))
    order = list(LAYOUTS)
    return sorted(found, key=lambda pair: (order.index(pair[0]), str(pair[1]))), complaints


def _run(actor: Actor, files: Sequence[tuple[str, Path]], out: Out) -> int:
    for number, (kind, path) in enumerate(files, start=1):
        try:
            with practice_transaction(actor.practice.id):
                _import(actor, kind, path, out)
        except Refusal as refusal:
            _explain(path, refusal, out)
            rest = len(files) - number
            out(f"Nothing of {path.name} was written." + (f" {rest} more not tried." if rest else ""))
            return REFUSED
        except OSError as error:
            out(f"{path}: cannot be read ({error.strerror}).")
            return REFUSED
    return OK


def _dry_run(actor: Actor, files: Sequence[tuple[str, Path]], out: Out) -> int:
    refused = False
    try:
        with practice_transaction(actor.practice.id):
            for kind, path in files:
                try:
                    _import(actor, kind, path, out)
                except Refusal as refusal:
                    refused = True
                    _explain(path, refusal, out)
            raise _OnlyTrying
    except _OnlyTrying:
        out("This was a dry run: nothing was written.")
    return REFUSED if refused else OK


def _import(actor: Actor, kind: str, path: Path, out: Out) -> Imported:
    out(f"{path.name}: reading …")
    began = time.monotonic()
    done = import_file(actor, kind=kind, file_name=path.name, content=path.read_bytes())
    out(
        f"{path.name}: {done.row_count:,} rows: {done.created_count:,} new, {done.changed_count:,} changed, "
        f"{done.unchanged_count:,} unchanged ({time.monotonic() - began:.1f} s)"
    )
    return done


def _explain(path: Path, refusal: Refusal, out: Out) -> None:
    problems = refusal.problems if isinstance(refusal, ImportRefused) else ()
    if not problems:
        out(f"{path.name}: {refusal}")
    for problem in problems[:_MOST_ERRORS]:
        out(f"{path.name}: {problem}")
    if len(problems) > _MOST_ERRORS:
        out(f"{path.name}: … and {len(problems) - _MOST_ERRORS:,} more errors")
