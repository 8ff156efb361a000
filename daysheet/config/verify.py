"""`daysheet verify`: recompute what is stored twice, and say where the two differ.

Each check is one statement over a whole practice that returns nothing where all is well. It runs as the runtime role
inside the practice's transaction, reads only, and names the first differences so that a person can look them up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TextIO

from django.db import connection

from daysheet.database.scope import practice_transaction
from daysheet.kit.dates import utc_now
from daysheet.kit.money import Money
from daysheet.ledger.models import Account
from daysheet.ledger.queries import practice_proof
from daysheet.practices.actor import Actor, ActorKind, PracticeFacts, system_actor
from daysheet.practices.models import Practice
from daysheet.staff.actors import practice_facts

from .verify_cards import CARD_CHECKS
from .verify_checks import CHECKS, NAMED, TOTALS, Check, Found
from .verify_mailings import MAILING_CHECKS
from .verify_money import MONEY_CHECKS
from .verify_storage import STORAGE_CHECKS, storage_parameters
from .verify_views import VIEW_CHECKS

CLEAN, DIFFERENT, NO_SUCH_PRACTICE = 0, 1, 4


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found in one practice. `totals` says in one line what is billed and live."""

    totals: str
    results: tuple[Found, ...]

    @property
    def difference_count(self) -> int:
        return sum(result.count for result in self.results)


def run_verify(practice_slug: str | None, out: TextIO) -> int:
    """Check one practice, or all, and report to `out`. 0: everything agrees; 1: differences; 4: no such practice."""
    practices = list(Practice.objects.filter(**({"slug": practice_slug} if practice_slug else {})).order_by("slug"))
    if practice_slug and not practices:
        _say(out, f"There is no practice with the address “{practice_slug}”.")
        return NO_SUCH_PRACTICE
    found = _report(out, "The database", verify_storage())
    for practice in practices:
        verified = verify_practice(practice_facts(practice), utc_now())
        _say(out, f"{practice.name} ({practice.slug})")
        _say(out, f"  {verified.totals}")
        found += _report(out, None, verified.results)
    checked = f"{len(practices)} practice{'' if len(practices) == 1 else 's'}"
    _say(out, f"{checked} verified: {'everything agrees.' if not found else f'{found:,} differences.'}")
    return DIFFERENT if found else CLEAN


def differences_of(facts: PracticeFacts, now: datetime) -> list[str]:
    """What does not agree in one practice, in words; nothing where all is well."""
    results = verify_practice(facts, now).results
    return [f"{result.name}: {first}" for result in results for first in result.first]


def verify_storage() -> list[Found]:
    """What holds for all practices together: grants, row security, constraints."""
    parameters = storage_parameters()
    return [_differences(check, parameters) for check in STORAGE_CHECKS]


def verify_practice(facts: PracticeFacts, now: datetime) -> Verified:
    """Every check of one practice, all on the same snapshot: what is posted meanwhile cannot look like a difference."""
    actor = system_actor(facts, now, ActorKind.COMMAND, "daysheet verify")
    is_outermost = not connection.in_atomic_block
    with practice_transaction(facts.id):
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        parameters = {"practice": facts.id}
        checks = (*CHECKS, *MONEY_CHECKS, *CARD_CHECKS, *MAILING_CHECKS)
        results = [_differences(check, parameters) for check in checks]
        views = (check(actor) for check in VIEW_CHECKS)
        return Verified(_totals(facts.id), (*results, _proof(actor), *views))


def _differences(check: Check, parameters: Mapping[str, Any]) -> Found:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT difference, count(*) OVER () FROM ({check.sql}) found ORDER BY difference LIMIT {NAMED}",
            parameters,
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


def _report(out: TextIO, title: str | None, results: Sequence[Found]) -> int:
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
