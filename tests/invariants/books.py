"""What must hold of the books after every step of any history. Each invariant returns the differences it finds, in
words, and is proven able to fail in test_invariants_can_fail.py.

They read the entries on their own; only `views_agree` asks the pages' queries, and `verified` asks `daysheet verify`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import Sum

from daysheet.clients.models import Client, Coverage
from daysheet.clients.queries import get_client
from daysheet.clients.registry import tiles_for
from daysheet.config.verify import verify_practice
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.invoicing.queries.invoice_page import invoice_by_number
from daysheet.kit.money import Money
from daysheet.ledger.models import Account
from daysheet.ledger.queries import client_activity, client_balances, line_sides, practice_proof
from daysheet.payments.models import Payment
from daysheet.payments.queries.accepting import payment_desk
from daysheet.payments.queries.entries import (
    Figure,
    FigureEntries,
    Narrowed,
    entries_behind,
    entries_behind_insurer,
    entries_behind_payment,
)
from daysheet.payments.queries.insurer_desk import insurer_desk
from daysheet.payments.queries.ledger import LedgerPage, ledger_invoices, ledger_payments, unapplied_payments
from daysheet.payments.queries.payment import payment_view
from daysheet.practices.actor import Actor

from .report_books import ageing_agrees, day_sheets_add_up, found, statements_agree

Invariant = Callable[[Actor], list[str]]


def no_side_is_negative(actor: Actor) -> list[str]:
    """By the entries alone, no side of a line owes less than nothing."""
    return found(
        """
        SELECT 'line ' || line_id || ' owes ' || client || ' and ' || insurance FROM (
            SELECT line_id,
                sum(amount_cents * ((debit_account = 'client_receivable')::int
                    - (credit_account = 'client_receivable')::int)) AS client,
                sum(amount_cents * ((debit_account = 'insurance_receivable')::int
                    - (credit_account = 'insurance_receivable')::int)) AS insurance
            FROM ledger_entry WHERE practice_id = %(practice)s AND line_id IS NOT NULL GROUP BY line_id
        ) s WHERE client < 0 OR insurance < 0""",
        actor,
    )


def no_payment_is_overspent(actor: Actor) -> list[str]:
    """By the entries alone, no more of a payment stands on lines than came in, and no credit is below nothing."""
    return found(
        """
        SELECT 'payment ' || payment_id || ' has ' || applied || ' on lines and ' || credit || ' left of ' || received
        FROM (
            SELECT payment_id,
                sum(amount_cents * ((debit_account = 'cash')::int - (credit_account = 'cash')::int)) AS received,
                sum(amount_cents * ((credit_account = 'credit')::int - (debit_account = 'credit')::int)) AS credit,
                sum(amount_cents * ((debit_account = 'credit' AND line_id IS NOT NULL)::int
                    - (credit_account = 'credit' AND line_id IS NOT NULL)::int)) AS applied
            FROM ledger_entry WHERE practice_id = %(practice)s AND payment_id IS NOT NULL GROUP BY payment_id
        ) s WHERE credit < 0 OR applied < 0 OR applied > received OR applied + credit <> received""",
        actor,
    )


def nothing_is_given_back_twice(actor: Actor) -> list[str]:
    """What went out of a payment never exceeds what came in, and no entry is reversed twice (M6)."""
    return found(
        """
        SELECT 'payment ' || payment_id || ': ' || gone || ' gone of ' || came FROM (
            SELECT e.payment_id,
                sum(amount_cents) FILTER (WHERE credit_account = 'cash' AND moved IS NULL) AS gone,
                sum(amount_cents) FILTER (WHERE debit_account = 'cash' AND moved IS NULL) AS came
            FROM (
                -- A receipt that only got another date was reversed and received anew in one event: no money went.
                SELECT e.*, (SELECT a.id FROM ledger_entry a WHERE a.practice_id = e.practice_id
                    AND a.event_id = e.event_id AND a.payment_id = e.payment_id AND a.debit_account = 'cash'
                    AND a.reverses_id IS NULL AND EXISTS (
                        SELECT FROM ledger_entry b WHERE b.practice_id = a.practice_id AND b.event_id = a.event_id
                            AND b.payment_id = a.payment_id AND b.credit_account = 'cash' AND b.reverses_id IS NOT NULL
                    ) LIMIT 1) AS moved
                FROM ledger_entry e WHERE e.practice_id = %(practice)s AND 'cash' IN (debit_account, credit_account)
            ) e GROUP BY e.payment_id
        ) s WHERE gone > came
        UNION ALL
        SELECT 'entry ' || reverses_id || ' is reversed ' || count(*) || ' times' FROM ledger_entry
        WHERE practice_id = %(practice)s AND reverses_id IS NOT NULL GROUP BY reverses_id HAVING count(*) > 1""",
        actor,
    )


def no_past_day_is_negative(actor: Actor) -> list[str]:
    """As of any past day too, by the days on which entries are effective, nothing is below nothing (M8)."""
    return found(
        """
        SELECT what || ' ' || id || ' is at ' || at_end || ' on ' || effective_on FROM (
            SELECT what, id, effective_on,
                sum(sum(cents)) OVER (PARTITION BY what, id ORDER BY effective_on) AS at_end
            FROM (
                SELECT a.what, CASE WHEN a.account = 'credit' THEN e.payment_id ELSE e.line_id END AS id, effective_on,
                    amount_cents * ((debit_account = a.account)::int - (credit_account = a.account)::int) * a.sign
                    AS cents
                FROM ledger_entry e, (VALUES ('client side of', 'client_receivable', 1),
                    ('insurance side of', 'insurance_receivable', 1), ('credit of', 'credit', -1)
                ) a (what, account, sign)
                WHERE e.practice_id = %(practice)s AND a.account IN (e.debit_account, e.credit_account)
            ) m GROUP BY what, id, effective_on
        ) s WHERE at_end < 0""",
        actor,
    )


def every_service_is_billed_at_most_once(actor: Actor) -> list[str]:
    """A visit's service has one live line or none (B7), and says which."""
    return found(
        """
        SELECT 'service ' || visit_service_id || ' has ' || count(*) || ' live lines' FROM invoicing_invoiceline
        WHERE practice_id = %(practice)s AND ended_at IS NULL AND visit_service_id IS NOT NULL
        GROUP BY visit_service_id HAVING count(*) > 1
        UNION ALL
        SELECT 'service ' || s.id || ' does not point at its live line' FROM schedule_visitservice s
        JOIN invoicing_invoiceline l ON l.practice_id = s.practice_id AND l.visit_service_id = s.id
        WHERE s.practice_id = %(practice)s AND l.ended_at IS NULL AND s.line_id IS DISTINCT FROM l.id""",
        actor,
    )


def views_agree(actor: Actor) -> list[str]:
    """Every page that shows a balance shows the same one: tiles, ledger, desks, payments, invoices, proof (M8)."""
    wrong: list[str] = []
    due = insurance = credit = 0
    for client_id in Client.objects.order_by("pk").values_list("pk", flat=True):
        balances = client_balances(actor, client_id)
        due += balances.client_due_cents
        insurance += balances.insurance_due_cents
        credit += balances.credit_cents
        told = (balances.client_due_cents, balances.insurance_due_cents, balances.credit_cents)
        for view, figures in _views_of_client(actor, client_id).items():
            wanted = tuple(cents for cents, given in zip(told, figures, strict=True) if given is not None)
            if wanted != tuple(given for given in figures if given is not None):
                wrong.append(f"client {client_id}: balances {told}, {view} {figures}")
        activity = client_activity(actor, client_id, page_size=1)
        if activity.rows and activity.rows[0].balance_cents != balances.balance_cents:
            wrong.append(f"client {client_id}: All Activity ends at {activity.rows[0].balance_cents}, not {told}")
    insurers_credit = sum(Payment.objects.filter(client=None).values_list("unapplied_cents", flat=True))
    proof = practice_proof(actor)
    accounts = (Account.CLIENT_RECEIVABLE, Account.INSURANCE_RECEIVABLE, Account.CREDIT)
    from_proof = tuple(proof.balance_of(account) for account in accounts)
    if not proof.proves or from_proof != (due, insurance, -credit - insurers_credit):
        wrong.append(f"the proof says {from_proof}, the clients come to {(due, insurance, -credit - insurers_credit)}")
    return wrong + _lines_agree(actor) + _payments_agree(actor) + _insurers_agree(actor)


def figures_are_their_entries(actor: Actor) -> list[str]:
    """Every figure opens to entries that come to it (M8): each client's, and those of the latest invoices and
    payments."""
    wrong = []
    for client_id in Client.objects.order_by("pk").values_list("pk", flat=True):
        balances = client_balances(actor, client_id)
        shown = {
            Figure.CLIENT_DUE: balances.client_due_cents, Figure.INSURANCE_DUE: balances.insurance_due_cents,
            Figure.CREDIT: balances.credit_cents, Figure.BALANCE: balances.balance_cents,
        }  # fmt: skip
        for figure, cents in shown.items():
            wrong += _parted(f"client {client_id}", figure, cents, entries_behind(actor, client_id, figure))
    for invoice in Invoice.objects.filter(pk__in=_live_invoices()).order_by("-number")[:2]:
        view = invoice_by_number(actor, invoice.number)
        shown = {Figure.CHARGED: view.total_cents, Figure.DUE: view.open_cents, Figure.SETTLED: view.settled_cents}
        for figure, cents in shown.items():
            found = entries_behind(actor, invoice.client_id, figure, Narrowed(invoice_number=invoice.number))
            wrong += _parted(f"invoice {invoice.number}", figure, cents, found)
    for payment in Payment.objects.order_by("-pk")[:3]:
        row = payment_view(actor, payment.pk).row
        shown = {
            Figure.RECEIVED: row.amount_cents, Figure.APPLIED: row.applied_cents, Figure.UNAPPLIED: row.credit_cents,
            Figure.RETURNED: row.returned_cents,
        }  # fmt: skip
        for figure, cents in shown.items():
            found = entries_behind_payment(actor, payment.pk, figure)
            wrong += _parted(f"payment {payment.pk}", figure, cents, found)
    return wrong


def _parted(what: str, figure: Figure, shown_cents: int, found: FigureEntries) -> list[str]:
    return [] if found.figure_cents == shown_cents else [f"{what}: {figure} {shown_cents}, {found.figure_cents} behind"]


def _live_invoices() -> Any:
    return InvoiceLine.objects.filter(ended_at=None).values("invoice_id")


def no_day_counts_a_receipt_twice(actor: Actor) -> list[str]:
    """As of any day no more of a payment was ever in the practice than its amount, whatever its date became (M8)."""
    return found(
        """
        SELECT 'of payment ' || id || ' ' || at_end || ' is there on ' || effective_on FROM (
            SELECT p.id, p.amount_cents, e.effective_on,
                sum(sum(e.amount_cents * ((debit_account = 'cash')::int - (credit_account = 'cash')::int)))
                    OVER (PARTITION BY p.id ORDER BY e.effective_on) AS at_end
            FROM ledger_entry e JOIN payments_payment p ON p.practice_id = e.practice_id AND p.id = e.payment_id
            WHERE e.practice_id = %(practice)s GROUP BY p.id, p.amount_cents, e.effective_on
        ) s WHERE at_end > amount_cents OR at_end < 0""",
        actor,
    )


def claims_stand_on_live_lines(actor: Actor) -> list[str]:
    """A claim that waits holds lines, all of them live; one that was taken back holds none (C1, C3)."""
    return found(
        """
        SELECT 'claim ' || l.claim_id || ' holds line ' || l.line_id || ', which ended' FROM claims_claimline l
        JOIN invoicing_invoiceline i ON i.practice_id = l.practice_id AND i.id = l.line_id
        WHERE l.practice_id = %(practice)s AND l.left_at IS NULL AND i.ended_at IS NOT NULL
        UNION ALL
        SELECT 'claim ' || c.id || ' has ' || count(l.id) || ' lines' FROM claims_claim c
        LEFT JOIN claims_claimline l ON l.practice_id = c.practice_id AND l.claim_id = c.id AND l.left_at IS NULL
        WHERE c.practice_id = %(practice)s GROUP BY c.practice_id, c.id
        HAVING (count(l.id) > 0) <> (c.withdrawn_at IS NULL)""",
        actor,
    )


def verified(actor: Actor) -> list[str]:
    """`daysheet verify` finds nothing."""
    found = verify_practice(actor.practice, actor.now)
    return [f"{result.name}: {', '.join(result.first)}" for result in found.results if result.count]


#: Where a view of a balance or a rule is added, all histories check it from then on.
INVARIANTS: tuple[Invariant, ...] = (
    no_side_is_negative,
    no_payment_is_overspent,
    nothing_is_given_back_twice,
    no_past_day_is_negative,
    every_service_is_billed_at_most_once,
    views_agree,
    figures_are_their_entries,
    no_day_counts_a_receipt_twice,
    ageing_agrees,
    statements_agree,
    day_sheets_add_up,
    claims_stand_on_live_lines,
    verified,
)


def _views_of_client(actor: Actor, client_id: UUID) -> dict[str, tuple[int | None, int | None, int | None]]:
    """(due from the client, due from insurers, credit) as each view has it; None where it does not show one."""
    client = get_client(actor, client_id)
    invoices = [row for is_open in (True, False) for row in _all(ledger_invoices, actor, client, is_open=is_open)]
    tiles = {tile.label: Money.parse(tile.value).cents for tile in tiles_for(actor, client) if "$" in tile.value}
    desk = payment_desk(actor, client_id)
    return {
        "invoices of the Ledger": (
            sum(row.client_open_cents for row in invoices), sum(row.insurance_open_cents for row in invoices), None,
        ),
        "tiles": tuple(tiles[name] for name in ("Client Balance Due", "Insurance Balance Due", "Client Credit")),
        "Accept Payment": (desk.due_cents, None, desk.credit_cents),
        "Payment History": (None, None, sum(row.credit_cents for row in _all(ledger_payments, actor, client))),
        "unapplied payments": (None, None, sum(row.credit_cents for row in unapplied_payments(actor, client))),
    }  # type: ignore[return-value]  # fmt: skip


def _all(page_of: Any, actor: Actor, client: Client, **options: Any) -> list[Any]:
    rows: list[Any] = []
    for number in range(1, 100):
        page: LedgerPage[Any] = page_of(actor, client, page=number, **options)
        rows += page.rows
        if not page.has_next:
            break
    return rows


def _lines_agree(actor: Actor) -> list[str]:
    lines = {line.pk: line for line in InvoiceLine.objects.all()}
    wrong = [
        f"line {line_id}: its entries leave {sides}"
        for line_id, sides in line_sides(actor, lines).items()
        if (sides.client_cents, sides.insurance_cents)
        != (lines[line_id].client_open_cents, lines[line_id].insurance_open_cents)
    ]
    live = InvoiceLine.objects.filter(ended_at=None).values("invoice__number")
    for row in live.annotate(
        total=Sum("amount_cents"), client=Sum("client_open_cents"), insurance=Sum("insurance_open_cents")
    ).order_by("-invoice__number")[:5]:
        page = invoice_by_number(actor, row["invoice__number"])
        shown = (page.total_cents, page.client_open_cents, page.insurance_open_cents)
        if shown != (row["total"], row["client"], row["insurance"]):
            wrong.append(f"invoice {page.number} shows {shown}")
    return wrong


def _payments_agree(actor: Actor) -> list[str]:
    wrong = []
    for payment_id in Payment.objects.order_by("-pk").values_list("pk", flat=True)[:8]:
        page = payment_view(actor, payment_id)
        after = page.entries[-1].entry.balance_cents
        on_invoices = sum(each.cents for each in page.invoices)
        if (page.row.applied_cents, page.row.credit_cents) != (on_invoices, after):
            wrong.append(f"payment {payment_id}: {page.row}, {on_invoices} on invoices, {after} after its entries")
    return wrong


def _insurers_agree(actor: Actor) -> list[str]:
    wrong = []
    of_insurer = InvoiceLine.objects.values("coverage__payer").annotate(due=Sum("insurance_open_cents"))
    due = {row["coverage__payer"]: row["due"] for row in of_insurer}
    for payer_id in Coverage.objects.values_list("payer_id", flat=True).distinct():
        desk = insurer_desk(actor, payer_id)
        if not desk.has_more and desk.due_cents != due.get(payer_id, 0):
            wrong.append(f"insurer {payer_id}: {desk.due_cents} at its desk, {due.get(payer_id, 0)} on lines")
        held = Payment.objects.filter(payer_id=payer_id).aggregate(cents=Sum("unapplied_cents"))["cents"] or 0
        for figure, cents in ((Figure.INSURANCE_DUE, due.get(payer_id, 0)), (Figure.UNAPPLIED, held)):
            behind = entries_behind_insurer(actor, payer_id, figure).figure_cents
            if behind != cents:
                wrong.append(f"insurer {payer_id}: {figure} is {cents}, its entries come to {behind}")
    return wrong
