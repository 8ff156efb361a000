"""A client with 700 visits, and a practice full of open invoices: every page asks the database as often as a small one
does (issue: constant number of queries), and shows a page of them at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import time_machine
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from daysheet.clients.models import Coverage
from daysheet.config.tests.damage import owner_says
from daysheet.database.scope import practice_transaction
from daysheet.database.statistics import count_again
from daysheet.invoicing.actions import issue_invoices
from daysheet.invoicing.selection import Selection
from daysheet.practices.models import User
from tests.billing import DAY, Clinic, build_clinic
from tests.people import NOW, Cast
from tests.plans import asked_of_database, rows_touched

#: Of one client: dates of service with an invoice of their own, all of it open, and as many that are not billed.
MANY = 700
SEVERAL = 240
PAGES = (
    "clients/{client}/ledger/", "clients/{client}/ledger/?tab=paid", "clients/{client}/ledger/?tab=payments",
    "clients/{client}/ledger/?tab=activity", "clients/{client}/", "clients/{client}/appointments/",
    "clients/{client}/payments/new/", "clients/{client}/write-offs/", "clients/{client}/invoices/new/?show=all",
    "billing/batch-payments/?payer={payer}", "billing/batch-payments/", "billing/unbilled/", "insurers/{payer}/",
    "insurers/{payer}/entries/?figure=insurer_balance", "insurers/{payer}/entries/?client=ana",
    "billing/batch-invoicing/?from_on=2026-01-01&to_on=2026-11-30",
    "reports/invoice-aging/", "reports/invoice-aging/?as_of=2026-11-10", "reports/invoice-aging/lines/",
    "reports/day-sheet/", "reports/credits/", "reports/payments/", "reports/collections/",
)  # fmt: skip


def _bill(clinic: Clinic, client: UUID, count: int, *, first: int = 0) -> None:
    """An invoice for each of `count` dates of service, one a day backwards."""
    services = [
        service
        for number in range(first, first + count)
        for service in clinic.visit(client, clinic.talk, day=DAY - timedelta(days=number))[1]
    ]
    issued = issue_invoices(clinic.biller, selection=Selection(tuple(services)), door="ledger", grouping="date")
    assert (len(issued.created), issued.refused) == (count, ())
    for number in range(first, first + count):  # and as many that nobody billed
        clinic.visit(client, clinic.letter, day=DAY - timedelta(days=number % 300))


def test_no_page_asks_more_often_for_seven_hundred_than_for_seven(cast: Cast) -> None:
    with time_machine.travel(NOW, tick=False), practice_transaction(cast.alder.id):
        clinic = build_clinic(cast)
        client = clinic.client(insured=True, copay_cents=2500)
        payer = Coverage.objects.get(client_id=client).payer_id
        browser = Browser()
        browser.force_login(User.objects.get(pk=cast.bob.user_id))
        addresses = [f"/alder/{page.format(client=client, payer=payer)}" for page in PAGES]
        _bill(clinic, client, 7)
        for address in addresses:
            assert browser.get(address).status_code == 200, address  # and what is read once is read now
        few = {address: _count(browser, address) for address in addresses}
        _bill(clinic, client, MANY - 7, first=7)
        count_again()  # as a batch and an import do at their end
        many = {address: _count(browser, address) for address in addresses}
    # A page more of them to come may cost a count; never a query for each.
    assert {address: (few[address], asked) for address, asked in many.items() if asked > few[address] + 2} == {}


def _count(browser: Browser, address: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(address).status_code == 200, address
    return len(asked)


def test_no_page_pairs_everything_with_everything_where_the_statistics_know_another_practice_only(
    live_cast: Cast,
) -> None:
    """A new practice on a server that has others: PostgreSQL takes it for empty until it counts again."""
    birch = replace(
        live_cast, alder=live_cast.birch, alice=live_cast.charlie, bob=live_cast.charlie, carol=live_cast.charlie
    )
    with time_machine.travel(NOW, tick=False):
        _clinic_with_bills(birch)
        owner_says("ANALYZE")
        client, payer = _clinic_with_bills(live_cast)
        browser = Browser()
        browser.force_login(User.objects.get(pk=live_cast.bob.user_id))
        touched = {}
        for page in PAGES:
            with asked_of_database() as asked:
                assert browser.get(f"/alder/{page.format(client=client, payer=payer)}").status_code == 200, page
            with practice_transaction(live_cast.alder.id):
                touched[page] = rows_touched(asked)
    # With the worst choice of index a table is read for each row of another: never for each pair of rows.
    assert {page: rows for page, rows in touched.items() if rows > 8 * (2 * SEVERAL) ** 2} == {}


def _clinic_with_bills(cast: Cast) -> tuple[UUID, UUID]:
    """A client and their insurer, with SEVERAL billed dates of service and as many that are not billed."""
    with practice_transaction(cast.alder.id):
        clinic = build_clinic(cast)
        client = clinic.client(insured=cast.alder.slug == "alder", copay_cents=2500)
        _bill(clinic, client, SEVERAL)
        coverage = Coverage.objects.filter(client_id=client).first()
    return client, coverage.payer_id if coverage else client
