"""Taking a file in: a preview with a verdict for every row, then all of it or nothing.

Invariant: the same file again changes nothing, because every row is found by its external ID and compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction

from daysheet.audit.actions import record
from daysheet.clients.models import Client, Coverage
from daysheet.database.models import TenantModel
from daysheet.database.statistics import count_again_after
from daysheet.database.turns import Turn, take_turn
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.practices.action import action, query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import VisitService

from .layouts import LAYOUTS, Layout
from .models import ImportedFile
from .parsing import ParsedFile, Problem, parse_file
from .plans import Plan, RowVerdict, Verdict, plan_file
from .sheets import read_sheet

#: Where the rows of the long files go: a table with as many, and the slices whose tables get some.
_WRITTEN: dict[str, tuple[type[TenantModel], tuple[str, ...]]] = {
    "clients": (Client, ("clients",)),
    "coverages": (Coverage, ("clients",)),
    "appointments": (VisitService, ("schedule",)),
    "opening_balances": (InvoiceLine, ("invoicing", "ledger", "payments")),
}


class ImportRefused(Refusal):
    """Rows of the file have errors, so nothing of it was taken in. `problems` names them by row and column."""

    code = "import_refused"

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Preview:
    """What importing a file would do, row by row in the file's order. `header_problems` leave no rows to look at."""

    kind: str
    file_name: str
    sha256: str
    rows: tuple[RowVerdict, ...]
    header_problems: tuple[Problem, ...] = ()

    def count(self, verdict: Verdict) -> int:
        """How many rows have this verdict."""
        return sum(row.verdict is verdict for row in self.rows)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is in the way, in the file's order."""
        return (*self.header_problems, *(problem for row in self.rows for problem in row.problems))


@dataclass(frozen=True, slots=True)
class Imported:
    """What importing a file did."""

    file_id: UUID
    row_count: int
    created_count: int
    changed_count: int
    unchanged_count: int


def layout_of(kind: str) -> Layout:
    """The template of that name. Raises NotFound."""
    if kind not in LAYOUTS:
        raise NotFound(f"There is no import of “{kind}”. There are: {', '.join(LAYOUTS)}.")
    return LAYOUTS[kind]


def may_import(actor: Actor, layout: Layout) -> bool:
    """Whether this actor may import with this template at all."""
    allowed = actor.may(Permission.ADMINISTRATOR) and not actor.limited_to_assigned
    return allowed and (not layout.needs_billing or actor.may(Permission.BILLING))


@query(Permission.ADMINISTRATOR)
def check_readable(actor: Actor, *, kind: str, content: bytes) -> None:
    """Refuse at once what is no table at all. Raises UnreadableFile, NotFound, NotAllowed."""
    _parse(actor, kind, content)


@query(Permission.ADMINISTRATOR)
def preview(actor: Actor, *, kind: str, file_name: str, content: bytes) -> Preview:
    """Read and compare, and write nothing. Raises UnreadableFile, NotFound, NotAllowed."""
    parsed = _parse(actor, kind, content)
    rows = () if parsed.header_problems else plan_file(actor, parsed, lock=False).rows
    return Preview(kind, file_name, hashlib.sha256(content).hexdigest(), rows, parsed.header_problems)


@action(Permission.ADMINISTRATOR)
def import_file(actor: Actor, *, kind: str, file_name: str, content: bytes) -> Imported:
    """Take in all of a file or, where any row has an error, nothing. Rows are found again by their external IDs, so the
    same file twice changes nothing. Raises UnreadableFile, ImportRefused, NotFound, NotAllowed."""
    parsed = _parse(actor, kind, content)
    _refuse(parsed.header_problems)
    take_turn(Turn.IMPORT, actor.practice.id)  # two of the same file would both find its rows new
    plan = plan_file(actor, parsed, lock=True)
    _refuse([problem for row in plan.rows for problem in row.problems])
    _write(plan)
    imported = _remember(actor, kind, file_name, content, plan)
    if kind in _WRITTEN:
        table, slices = _WRITTEN[kind]
        count_again_after(imported.created_count, table, *slices)
    return imported


def _parse(actor: Actor, kind: str, content: bytes) -> ParsedFile:
    layout = layout_of(kind)
    if actor.limited_to_assigned:
        raise NotAllowed("Importing needs access to all clients, and yours is limited to those assigned to you.")
    if layout.needs_billing:
        actor.require(Permission.BILLING)
    parsed = parse_file(layout, read_sheet(content))
    if any(column.needs_billing for column in parsed.columns):
        actor.require(Permission.BILLING)
    return parsed


def _refuse(problems: Sequence[Problem]) -> None:
    if not problems:
        return
    more = f" (and {len(problems) - 1:,} more)" if len(problems) > 1 else ""
    raise ImportRefused(f"Nothing was imported: {problems[0]}{more}.", problems)


def _write(plan: Plan) -> None:
    try:
        with transaction.atomic():
            plan.write()
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        words = getattr(diagnosis, "message_detail", None) or getattr(diagnosis, "message_primary", None) or ""
        raise ImportRefused(
            f"Nothing was imported: the rows contradict each other or what somebody saved meanwhile. {words} "
            "Look at the preview again."
        ) from error


def _remember(actor: Actor, kind: str, file_name: str, content: bytes, plan: Plan) -> Imported:
    imported = Imported(
        file_id=new_id(),
        row_count=len(plan.rows),
        created_count=plan.counts[Verdict.NEW],
        changed_count=plan.counts[Verdict.CHANGED],
        unchanged_count=plan.counts[Verdict.UNCHANGED],
    )
    sha256 = hashlib.sha256(content).hexdigest()
    ImportedFile.objects.create(
        pk=imported.file_id,
        kind=kind,
        file_name=file_name[-200:],
        sha256=sha256,
        row_count=imported.row_count,
        created_count=imported.created_count,
        changed_count=imported.changed_count,
        unchanged_count=imported.unchanged_count,
        imported_at=actor.now,
        imported_by_name=actor.person_name[:120],
    )
    record(
        actor, "import_file", "imported_file", imported.file_id, kind=kind, sha256=sha256, rows=imported.row_count,
        created=imported.created_count, changed=imported.changed_count,
    )  # fmt: skip
    return imported
