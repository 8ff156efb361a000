"""`daysheet verify`: recompute what is stored twice, and say where the two differ.

Each check is one statement over a whole practice that returns nothing where all is well. It runs as the runtime role
inside the practice's transaction, reads only, and names the first differences so that a person can look them up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TextIO

from django.db import connection

from daysheet.database.scope import practice_transaction
from daysheet.kit.dates import utc_now
from daysheet.kit.money import Money
from daysheet.ledger.models import Account
from daysheet.ledger.queries import practice_proof
from daysheet.practices.actor import Actor, ActorKind, system_actor
from daysheet.practices.models import Practice
from daysheet.staff.actors import practice_facts

from .verify_checks import CHECKS, GRANTS, TOTALS, Check

CLEAN, DIFFERENT, NO_SUCH_PRACTICE = 0, 1, 4
#: How many differences of one check are named.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Found:
    """What one check found: how many differences, and the first few in words."""

    name: str
    count: int
    first: tuple[str, ...]


def run_verify(practice_slug: str | None, out: TextIO) -> int:
    """Check one practice, or all, and report to `out`. 0: everything agrees; 1: differences; 4: no such practice."""
    practices = list(Practice.objects.filter(**({"slug": practice_slug} if practice_slug else {})).order_by("slug"))
    if practice_slug and not practices:
        _say(out, f"There is no practice with the address “{practice_slug}”.")
        return NO_SUCH_PRACTICE
    found = _report(out, "Rights of the application’s role", [_differences(GRANTS, None)])
    for practice in practices:
        actor = system_actor(practice_facts(practice), utc_now(), ActorKind.COMMAND, "daysheet verify")
        with practice_transaction(practice.pk):
            _say(out, f"{practice.name} ({practice.slug})")
            _say(out, f"  {_totals(practice.pk)}")
            results = [*(_differences(check, practice.pk) for check in CHECKS), _proof(actor)]
        found += _report(out, None, results)
    checked = f"{len(practices)} practice{'' if len(practices) == 1 else 's'}"
    _say(out, f"{checked} verified: {'everything agrees.' if not found else f'{found:,} differences.'}")
    return DIFFERENT if found else CLEAN


def _differences(check: Check, practice_id: int | None) -> Found:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT difference, count(*) OVER () FROM ({check.sql}) found ORDER BY difference LIMIT {_NAMED}",
            {"practice": practice_id},
        )
        rows = cursor.fetchall()
    return Found(check.name, rows[0][1] if rows else 0, tuple(row[0] for row in rows))


def _proof(actor: Actor) -> Found:
    """The trial balance, against the amounts kept on lines and payments."""
    proof = practice_proof(actor)
    with connection.cursor() as cursor:
        cursor.execute(TOTALS, {"practice": actor.practice.id})
        client_open, insurance_open, unapplied = cursor.fetchone() or (0, 0, 0)
    kept = {
        Account.CLIENT_RECEIVABLE: client_open,
        Account.INSURANCE_RECEIVABLE: insurance_open,
        Account.CREDIT: -unapplied,
    }
    wrong = [
        f"{account.label}: the entries come to {Money(proof.balance_of(account))}, lines and payments to {Money(cents)}"
        for account, cents in kept.items()
        if proof.balance_of(account) != cents
    ]
    if not proof.proves:
        wrong.append(f"debits {Money(proof.debit_cents)}, credits {Money(proof.credit_cents)}")
    return Found(f"trial balance: {Money(proof.debit_cents)} debited and credited", len(wrong), tuple(wrong))


def _totals(practice_id: int) -> str:
    """What is billed and live, in one line."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"practice": practice_id})
        dates, lines, cents, clients, invoices = cursor.fetchone() or (0, 0, 0, 0, 0)
    return (
        f"{dates:,} dates of service, {lines:,} lines, {Money(int(cents))} charged, {clients:,} clients, "
        f"{invoices:,} invoices"
    )


def _report(out: TextIO, title: str | None, results: list[Found]) -> int:
    """Write the results; returns how many differences there are."""
    if title:
        _say(out, title)
    for result in results:
        _say(out, f"  {'ok  ' if not result.count else 'FAIL'}  {result.name}")
        for difference in result.first:
            _say(out, f"          {difference}")
        if result.count > len(result.first):
            _say(out, f"          and {result.count - len(result.first):,} more")
    return sum(result.count for result in results)


def _say(out: TextIO, text: str) -> None:
    out.write(text + "\n")


_COUNTS = """
    SELECT count(DISTINCT s.visit_id), count(*), coalesce(sum(l.amount_cents), 0), count(DISTINCT l.client_id),
        count(DISTINCT l.invoice_id)
    FROM invoicing_invoiceline l
    LEFT JOIN schedule_visitservice s ON s.practice_id = l.practice_id AND s.id = l.visit_service_id
    WHERE l.practice_id = %(practice)s AND l.ended_at IS NULL"""
