"""`post` and `reverse`: the only ways a cent moves (architecture.md, section 4).

Together with the entries, the guarded open amounts move: a line's per side, a payment's unapplied part. The conditional
UPDATE and the CHECKs behind it refuse what would take more than is there (M4), whoever else is writing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from daysheet.database.copying import copy_rows
from daysheet.kit.errors import Refusal
from daysheet.kit.ids import new_id
from daysheet.practices.actor import Actor

from .books import hold_books
from .models import Account, Entry
from .rules import posting_day

#: The tables whose guarded amounts entries move. They belong to slices above; only their names are known here.
LINE_TABLE = "invoicing_invoiceline"
PAYMENT_TABLE = "payments_payment"


class MoreThanOpen(Refusal):
    """An application, write-off or transfer would take more than the line's side still owes (M4)."""

    code = "more_than_open"


class MoreThanUnapplied(Refusal):
    """More would be applied or refunded than the payment still has (M4, M6)."""

    code = "more_than_unapplied"


class AlreadyReversed(Refusal):
    """The entry has been reversed before (M6: one reversal budget)."""

    code = "already_reversed"


class Movement(NamedTuple):
    """One entry to be. `amount_cents` > 0 moves from `credit` to `debit`; `effective_on` is in practice time."""

    debit: Account
    credit: Account
    amount_cents: int
    client_id: UUID | None
    effective_on: date
    line_id: UUID | None = None
    payment_id: UUID | None = None
    coverage_id: UUID | None = None
    reason: str = ""
    reverses_id: UUID | None = None


def post(
    actor: Actor,
    movements: Sequence[Movement],
    *,
    event_id: UUID,
    opens_lines: bool = False,
    payments_locked: bool = False,
) -> list[UUID]:
    """Write the entries of one event and move the guarded amounts. Returns the entries' ids, in order.

    An entry that is meant for a closed day is posted on the first open one (M10, docs/adr/0005).
    `opens_lines=True` for lines just inserted: their open amounts were written with the line. `payments_locked=True`
    where the caller holds the locks of the payments' rows already: one statement less.
    Called inside the action's transaction. Raises MoreThanOpen, MoreThanUnapplied.
    """
    ids = [new_id() for _ in movements]
    rows = [_row(actor, event_id, *pair) for pair in zip(ids, movements, strict=True)]
    if rows and (len(rows) > _HANDFUL or not _insert(actor.practice.id, rows)):
        closed_through_on = hold_books(actor)
        if closed_through_on:
            rows = [_on_open_day(row, closed_through_on) for row in rows]
        copy_rows(Entry, _ENTRY_COLUMNS, rows)
    if not opens_lines:
        _move_lines(actor.practice.id, movements)
    _move_payments(actor.practice.id, movements, locked=payments_locked)
    return ids


def reverse(
    actor: Actor, entry_ids: Iterable[UUID], *, event_id: UUID, reason: str, effective_on: date | None = None
) -> list[UUID]:
    """Mirror entries, each at most once. Raises AlreadyReversed where one has been reversed before.

    The lines and payments are locked before the check, so that of two people who reverse at once the second is told.
    """
    wanted = set(entry_ids)
    entries = list(Entry.objects.filter(pk__in=wanted).order_by("pk"))
    _lock(LINE_TABLE, actor.practice.id, sorted({entry.line_id for entry in entries if entry.line_id}))
    _lock(PAYMENT_TABLE, actor.practice.id, sorted({entry.payment_id for entry in entries if entry.payment_id}))
    if Entry.objects.filter(reverses_id__in=wanted).exists():
        raise AlreadyReversed("This has been reversed already. Nothing was changed; reload the page to see it.")
    mirrors = [
        Movement(
            debit=Account(entry.credit_account),
            credit=Account(entry.debit_account),
            amount_cents=entry.amount_cents,
            client_id=entry.client_id,
            effective_on=effective_on or actor.today,
            line_id=entry.line_id,
            payment_id=entry.payment_id,
            coverage_id=entry.coverage_id,
            reason=reason,
            reverses_id=entry.pk,
        )
        for entry in entries
    ]
    return post(actor, mirrors, event_id=event_id)


_ENTRY_COLUMNS = (
    "id", "debit_account", "credit_account", "amount_cents", "client_id", "line_id", "payment_id", "coverage_id",
    "effective_on", "posted_at", "actor_name", "reason", "reverses_id", "event_id",
)  # fmt: skip
_ENTRY_TYPES = (
    "uuid", "varchar", "varchar", "bigint", "uuid", "uuid", "uuid", "uuid", "date", "timestamptz", "varchar", "varchar",
    "uuid", "uuid",
)  # fmt: skip
#: Up to this many entries one INSERT costs less than locking the books and setting up a COPY.
_HANDFUL = 20


def _row(actor: Actor, event_id: UUID, entry_id: UUID, movement: Movement) -> tuple[object, ...]:
    return (
        entry_id, str(movement.debit), str(movement.credit), movement.amount_cents, movement.client_id,
        movement.line_id, movement.payment_id, movement.coverage_id, movement.effective_on, actor.now,
        actor.person_name[:120], movement.reason, movement.reverses_id, event_id,
    )  # fmt: skip


def _insert(practice_id: int, rows: Sequence[tuple[object, ...]]) -> int:
    """Lock the books, find the open days and write a handful of entries, in one statement. 0: there are no books yet.
    `greatest(…)` is `rules.posting_day`, as a test compares."""
    names = ", ".join(f'"{name}"' for name in _ENTRY_COLUMNS)
    values = ", ".join(
        f'greatest(v."{name}", b.closed_through_on + 1)' if name == "effective_on" else f'v."{name}"'
        for name in _ENTRY_COLUMNS
    )
    arrays = ", ".join(f"%s::{kind}[]" for kind in _ENTRY_TYPES)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH b AS MATERIALIZED (SELECT closed_through_on FROM ledger_books WHERE practice_id = %s FOR SHARE) "
            f"INSERT INTO ledger_entry (practice_id, {names}) "
            f"SELECT %s, {values} FROM b, unnest({arrays}) AS v({names})",
            [practice_id, practice_id, *(list(column) for column in zip(*rows, strict=True))],
        )
        return int(cursor.rowcount)


def _on_open_day(row: tuple[object, ...], closed_through_on: date) -> tuple[object, ...]:
    place = _ENTRY_COLUMNS.index("effective_on")
    wanted_on = row[place]
    assert isinstance(wanted_on, date)
    return (*row[:place], posting_day(wanted_on, closed_through_on), *row[place + 1 :])


def _move_lines(practice_id: int, movements: Sequence[Movement]) -> None:
    client: dict[UUID, int] = defaultdict(int)
    insurance: dict[UUID, int] = defaultdict(int)
    for movement in movements:
        if movement.line_id is None:
            continue
        for account, sign in ((movement.debit, 1), (movement.credit, -1)):
            if account is Account.CLIENT_RECEIVABLE:
                client[movement.line_id] += sign * movement.amount_cents
            elif account is Account.INSURANCE_RECEIVABLE:
                insurance[movement.line_id] += sign * movement.amount_cents
    line_ids = sorted(client.keys() | insurance.keys())
    moved = _move(
        LINE_TABLE,
        ("client_open_cents", "insurance_open_cents"),
        practice_id,
        [(line_id, client[line_id], insurance[line_id]) for line_id in line_ids],
    )
    if moved < len(line_ids):
        raise MoreThanOpen(
            "That is more than is still open on the line. Nothing was saved: somebody may have paid it meanwhile. "
            "Reload the page and enter the amount again."
        )


def _move_payments(practice_id: int, movements: Sequence[Movement], *, locked: bool = False) -> None:
    unapplied: dict[UUID, int] = defaultdict(int)
    for movement in movements:
        if movement.payment_id is None:
            continue
        if movement.credit is Account.CREDIT:
            unapplied[movement.payment_id] += movement.amount_cents
        if movement.debit is Account.CREDIT:
            unapplied[movement.payment_id] -= movement.amount_cents
    payment_ids = sorted(unapplied)
    deltas = [(payment_id, unapplied[payment_id]) for payment_id in payment_ids]
    moved = _move(PAYMENT_TABLE, ("unapplied_cents",), practice_id, deltas, locked=locked)
    if moved < len(payment_ids):
        raise MoreThanUnapplied(
            "That is more than is left of the payment. Nothing was saved: somebody may have applied it meanwhile. "
            "Reload the page and try again."
        )


def _lock(table: str, practice_id: int, ids: Sequence[UUID]) -> None:
    """Lock rows in id order. Not FOR UPDATE: that would wait for the key locks which another's entries hold on the same
    row, and two people who post to one line at once would wait for each other for ever."""
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT id FROM "{table}" WHERE practice_id = %s AND id = ANY(%s) ORDER BY id FOR NO KEY UPDATE',
            [practice_id, list(ids)],
        )


def _move(
    table: str,
    columns: tuple[str, ...],
    practice_id: int,
    deltas: Sequence[tuple[UUID, *tuple[int, ...]]],
    *,
    locked: bool = False,
) -> int:
    """Lock the rows in id order, then move their guarded columns where none would fall below zero."""
    if not deltas:
        return 0
    names = ", ".join(f"d{number}" for number in range(len(columns)))
    arrays = ", ".join(["%s::uuid[]"] + ["%s::bigint[]"] * len(columns))
    moves = ", ".join(f'"{column}" = t."{column}" + d.d{number}' for number, column in enumerate(columns))
    guards = " AND ".join(f't."{column}" + d.d{number} >= 0' for number, column in enumerate(columns))
    if not locked:
        _lock(table, practice_id, [delta[0] for delta in deltas])
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{table}" t SET {moves} FROM unnest({arrays}) AS d(id, {names}) '
            f"WHERE t.practice_id = %s AND t.id = d.id AND {guards}",
            [*(list(column) for column in zip(*deltas, strict=True)), practice_id],
        )
        return int(cursor.rowcount)
