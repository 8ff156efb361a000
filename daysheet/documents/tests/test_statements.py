"""Statements are the ledger in other words (M8): the same sums over the same entries, in figures and in rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from daysheet.documents.queries.balances import ending_balances
from daysheet.documents.queries.statements import StatementChoices, statement_figures, statements
from daysheet.documents.rendering import statement_papers
from daysheet.documents.rules import Basis, Period
from daysheet.invoicing.actions import bill_visit, void_invoice
from daysheet.invoicing.models import Invoice
from daysheet.ledger.queries import client_balances
from daysheet.practices.actor import Actor
from daysheet.reports.tests.conftest import EARLIER, OLD, TODAY, Week

ALL = Period(date(2026, 1, 1), TODAY)
NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))


@pytest.mark.parametrize("basis", list(Basis))
@pytest.mark.parametrize("first_on", [date(2026, 1, 1), OLD, EARLIER, TODAY])
@pytest.mark.parametrize("as_of", [None, TODAY, EARLIER, OLD])
def test_ending_balance_is_the_ledgers(week: Week, basis: Basis, first_on: date, as_of: date | None) -> None:
    choices = StatementChoices(Period(first_on, TODAY), basis, as_of)
    found = statement_figures(week.biller, [week.ruiz, week.long], choices)
    for client in (week.ruiz, week.long):
        figures, ledger = found[client], client_balances(week.biller, client, as_of=as_of)
        assert figures.proves
        assert figures.client.ending_cents == ledger.client_due_cents - ledger.credit_cents
        assert figures.insurance.ending_cents == ledger.insurance_due_cents
        assert figures.ending_cents == ledger.balance_cents
        assert (sum(figures.open_cents), figures.credit_cents) == (ledger.client_due_cents, ledger.credit_cents)


@pytest.mark.parametrize("basis", list(Basis))
@pytest.mark.parametrize("as_of", [None, TODAY, EARLIER, OLD])
def test_balances_gone_back_to_are_those_summed_from_the_entries(week: Week, basis: Basis, as_of: date | None) -> None:
    void_invoice(_days_later(week.biller, 3), invoice_id=Invoice.objects.get(client_id=week.long).pk, reason="Wrong")
    ahead, _ = week.clinic.visit(week.long, week.clinic.talk, day=TODAY + timedelta(days=9), status="upcoming")
    bill_visit(week.biller, visit_id=ahead)
    days = [OLD - timedelta(days=1), OLD, EARLIER - timedelta(days=1), EARLIER, TODAY - timedelta(days=1), TODAY]
    seen = set()
    for last in [*days, TODAY + timedelta(days=30)]:
        choices = StatementChoices(Period(date(2026, 1, 1), last), basis, as_of)
        clients = [week.ruiz, week.long]
        summed = {pk: each.client.ending_cents for pk, each in statement_figures(week.biller, clients, choices).items()}
        found = ending_balances(week.biller, clients, choices)
        assert {pk: found.get(pk, 0) for pk in clients} == summed, (last, as_of)
        seen |= set(summed.values())
    assert as_of == OLD or len(seen) > 1


@pytest.mark.parametrize("basis", list(Basis))
def test_a_period_begins_where_the_one_before_ended(week: Week, basis: Basis) -> None:
    day = OLD - timedelta(days=1)
    ending = {week.ruiz: (0, 0), week.long: (0, 0)}
    while day < TODAY:
        day += timedelta(days=1)
        found = statements(week.biller, list(ending), StatementChoices(Period(day, day), basis))
        for client, statement in found.items():
            figures = statement.figures
            assert (figures.client.previous_cents, figures.insurance.previous_cents) == ending[client]
            moved = sum(row.client_cents for row in statement.rows)
            assert figures.client.previous_cents + moved == figures.client.ending_cents
            moved = sum(row.insurance_cents for row in statement.rows)
            assert figures.insurance.previous_cents + moved == figures.insurance.ending_cents
            ending[client] = (figures.client.ending_cents, figures.insurance.ending_cents)
    assert ending[week.ruiz] == (-1500, 2500)


def test_the_figures_of_a_month(week: Week) -> None:
    found = statement_figures(week.biller, [week.long], StatementChoices(NOVEMBER, Basis.SERVICE))[week.long]
    assert found.client.previous_cents == 15000, "the session of July"
    assert (found.client.charges_cents, found.client.payments_cents) == (0, 5500), "60.00 less 5.00 given back"
    assert (found.client.adjustments_cents, found.client.ending_cents) == (1000, 8500)
    assert found.open_cents == (0, 0, 0, 0, 14000) and found.credit_cents == 5500
    by_invoice = statement_figures(week.biller, [week.long], StatementChoices(NOVEMBER, Basis.INVOICE))[week.long]
    assert (by_invoice.client.previous_cents, by_invoice.client.charges_cents) == (0, 15000), "billed in November"
    assert by_invoice.open_cents[0] == 14000, "as old as its invoice"


def test_by_service_date_a_void_leaves_nothing_by_invoice_date_both_rows(week: Week) -> None:
    invoice = Invoice.objects.get(client_id=week.long)
    later = _days_later(week.biller, 3)
    void_invoice(later, invoice_id=invoice.pk, reason="Wrong client")
    whole = Period(date(2026, 1, 1), later.today)
    by_service = statements(later, [week.long], StatementChoices(whole, Basis.SERVICE))[week.long]
    assert not [row for row in by_service.rows if row.invoice_number == invoice.number and row.part == "charge"]
    by_invoice = statements(later, [week.long], StatementChoices(whole, Basis.INVOICE))[week.long]
    charges = [(row.on, row.client_cents) for row in by_invoice.rows if row.part == "charge"]
    assert charges == [(TODAY, 15000), (later.today, -15000)]
    assert by_service.figures.ending_cents == by_invoice.figures.ending_cents == -5500


def test_lines_of_insurance_only_can_be_left_out_and_the_sums_stay(week: Week) -> None:
    shop = week.clinic
    client = shop.client("Only", insured=True)
    bill_visit(week.biller, visit_id=shop.visit(client, shop.talk)[0])
    shown = statements(week.biller, [client], StatementChoices(NOVEMBER))[client]
    assert [(row.client_cents, row.insurance_cents) for row in shown.rows] == [(0, 15000)]
    hidden = statements(week.biller, [client], StatementChoices(NOVEMBER, hides_insurance_only=True))[client]
    assert hidden.rows == () and (hidden.insurance_only_count, hidden.insurance_only_cents) == (1, 15000)
    assert hidden.figures == shown.figures
    mixed = statements(week.biller, [week.ruiz], StatementChoices(NOVEMBER, hides_insurance_only=True))[week.ruiz]
    assert mixed.rows == statements(week.biller, [week.ruiz], StatementChoices(NOVEMBER))[week.ruiz].rows


def test_lines_of_nothing_are_listed_unless_left_out(week: Week) -> None:
    shop = week.clinic
    client = shop.client("Free")
    bill_visit(week.biller, visit_id=shop.visit(client, shop.talk, rates=(0,))[0])
    for basis in Basis:
        shown = statements(week.biller, [client], StatementChoices(NOVEMBER, basis))[client]
        assert [row.name for row in shown.rows] == ["Talk"]
        assert statements(week.biller, [client], StatementChoices(NOVEMBER, basis, hides_zero=True))[client].rows == ()


def test_any_number_of_clients_asks_the_database_as_often_as_one(week: Week) -> None:
    choices = StatementChoices(ALL, hides_insurance_only=True)

    def asked(*clients: object) -> int:
        with CaptureQueriesContext(connection) as queries:
            statement_papers(week.biller, list(clients), choices)  # type: ignore[arg-type]
        return len(queries)

    many = [week.clinic.client(f"More {number}") for number in range(20)]
    assert asked(week.ruiz) == asked(week.ruiz, week.long, *many) <= 14


def test_whom_the_actor_may_not_see_has_no_balance(week: Week, limited: Actor) -> None:
    found = ending_balances(limited, [week.ruiz, week.long], StatementChoices(ALL, as_of=TODAY))
    assert set(found) == {week.ruiz}


def test_whom_the_actor_may_not_see_has_no_statement(week: Week, limited: Actor) -> None:
    papers = statement_papers(limited, [week.ruiz, week.long], StatementChoices(ALL))
    assert [paper.client_id for paper in papers] == [week.ruiz]


def _days_later(actor: Actor, days: int) -> Actor:
    return replace(actor, now=actor.now + timedelta(days=days))
