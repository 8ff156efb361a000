"""What reports and statements must say of the books: `books.py` has the whole list."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.db.models import Max

from daysheet.clients.models import Client
from daysheet.documents.queries.balances import ending_balances
from daysheet.documents.queries.statements import StatementChoices, statement_figures
from daysheet.documents.rules import Basis, Period
from daysheet.ledger.models import Account, Entry
from daysheet.ledger.queries import practice_proof
from daysheet.practices.actor import Actor
from daysheet.reports.queries.ageing import AgingFilters, Debtor, Since, invoice_aging
from daysheet.reports.queries.day_sheet import day_sheet


def ageing_agrees(actor: Actor) -> list[str]:
    """Invoice Aging with its credit is the balance, now and as of a past day, by client and by insurer (M9)."""
    wrong = []
    last = Entry.objects.aggregate(day=Max("effective_on"))["day"] or actor.today
    for as_of in (max(last, actor.today), actor.today - timedelta(days=3)):
        for debtor, owed in _OWED_THEN.items():
            totals = found(
                f"SELECT ({owed})::text FROM ledger_entry e LEFT JOIN payments_payment p "
                "ON p.practice_id = e.practice_id AND p.id = e.payment_id "
                f"WHERE e.practice_id = %(practice)s AND e.effective_on <= '{as_of.isoformat()}'",
                actor,
            )
            for since in Since:
                aged = invoice_aging(actor, AgingFilters(as_of, debtor, since)).total
                if str(aged.balance_cents) != totals[0]:
                    wrong.append(f"ageing of {debtor} since {since} as of {as_of}: {aged}, the entries say {totals[0]}")
    return wrong


def statements_agree(actor: Actor) -> list[str]:
    """Whom Batch Statements lists with what: each client's statement ends there, now and at the end of a past day."""
    wrong = []
    clients = list(Client.objects.order_by("pk").values_list("pk", flat=True))
    for basis in Basis:
        for last_on in (actor.today - timedelta(days=3), actor.today + timedelta(days=365)):
            choices = StatementChoices(Period(actor.today - timedelta(days=30), last_on), basis, actor.today)
            listed = ending_balances(actor, clients, choices)
            for client_id, figures in statement_figures(actor, clients, choices).items():
                if listed.get(client_id, 0) != figures.client.ending_cents:
                    wrong.append(
                        f"by {basis} to {last_on}: {client_id} is listed with {listed.get(client_id)}, {figures}"
                    )
    return wrong


def day_sheets_add_up(actor: Actor) -> list[str]:
    """The last days' sheets prove, follow one another, and end at the practice's balance (M10)."""
    wrong = []
    days = sorted(Entry.objects.order_by().values_list("effective_on", flat=True).distinct())[-4:]
    proof = practice_proof(actor)
    closing = None
    for day in days:
        sheet = day_sheet(actor, day)
        totals = sheet.totals
        if not totals.proves or closing not in (None, totals.opening_cents):
            wrong.append(f"the sheet of {day}: {totals}, the day before closed at {closing}")
        if sum(row.deposit_cents for row in sheet.deposit) != totals.payments_cents:
            wrong.append(f"the deposit of {day}: {sheet.deposit}, payments {totals.payments_cents}")
        closing = totals.closing_cents
    held = (Account.CLIENT_RECEIVABLE, Account.INSURANCE_RECEIVABLE, Account.CREDIT)
    if days and closing != sum(proof.balance_of(account) for account in held):
        wrong.append(f"the last sheet closes at {closing}, the accounts hold {proof}")
    return wrong


#: What everybody owes less the credit that stands against it, from the entries alone.
_ON = "coalesce(sum(e.amount_cents * ((e.debit_account = '{0}')::int - (e.credit_account = '{0}')::int)){1}, 0)"
_CLIENTS_CREDIT = _ON.format("credit", " FILTER (WHERE p.client_id IS NOT NULL)")
_INSURERS_CREDIT = _ON.format("credit", " FILTER (WHERE p.client_id IS NULL)")
_CLIENTS_DUE, _INSURERS_DUE = _ON.format("client_receivable", ""), _ON.format("insurance_receivable", "")
_OWED_THEN = {
    Debtor.CLIENT: f"{_CLIENTS_DUE} + {_CLIENTS_CREDIT}",
    Debtor.INSURER: f"{_INSURERS_DUE} + {_INSURERS_CREDIT}",
    Debtor.BOTH: f"{_CLIENTS_DUE} + {_INSURERS_DUE} + {_CLIENTS_CREDIT}",
}


def found(sql: str, actor: Actor) -> list[str]:
    """The one column that a statement answers."""
    with connection.cursor() as cursor:
        cursor.execute(sql, {"practice": actor.practice.id})
        return [row[0] for row in cursor.fetchall()]
