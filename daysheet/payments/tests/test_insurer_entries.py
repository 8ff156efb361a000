"""What an insurer owes, and its credit, open to the entries behind them, over the clients somebody may see (M8)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client as Browser

from daysheet.audit.models import RecordView
from daysheet.clients.actions import assign_staff
from daysheet.clients.models import Coverage
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.payments.insurance import LinePosting, accept_insurance_payment
from daysheet.payments.queries import insurer_desk as desk
from daysheet.payments.queries.entries import Figure, Narrowed, entries_behind_insurer, figures_of_insurers_seen
from daysheet.practices.actor import Actor
from daysheet.staff.models import StaffMember
from tests.architecture.world import browser_of
from tests.billing import DAY, Clinic, build_clinic
from tests.people import NOW, Cast


@dataclass(frozen=True)
class Insured:
    """One insurer, who owed 150.00 for each of two clients, paid 100.00 and adjusted 20.00 of the first an hour later,
    and has 30.00 of credit; and another, who owes 150.00."""

    clinic: Clinic
    payer: UUID
    abel: UUID
    cain: UUID
    line: UUID


@pytest.fixture
def insured(cast: Cast) -> Iterator[Insured]:
    with practice_transaction(cast.alder.id):
        clinic = build_clinic(cast)
        clients = [clinic.client(name, insured=True) for name in ("Abel", "Cain", "Other")]
        payer, _, other = Coverage.objects.order_by("pk").values_list("payer_id", flat=True)
        Coverage.objects.exclude(payer_id=other).update(payer_id=payer)
        for client in clients:
            bill_visit(clinic.biller, visit_id=clinic.visit(client, clinic.talk)[0])
        line = InvoiceLine.objects.get(client_id=clients[0]).pk
        accept_insurance_payment(
            replace(clinic.biller, now=NOW + timedelta(hours=1)), request_key=uuid4(), payer_id=payer,
            amount_cents=13_000, method="ins_check", received_on=DAY, postings={line: LinePosting(10_000, 2_000, 0)},
            expected_credit_cents=3_000,
        )  # fmt: skip
        yield Insured(clinic, payer, clients[0], clients[1], line)


def _of(actor: Actor, insured: Insured, figure: Figure, **asked: Any) -> int:
    found = entries_behind_insurer(actor, insured.payer, figure, Narrowed(**asked))
    assert sum(row.change_cents for row in found.rows) == found.figure_cents
    return found.figure_cents


def test_the_entries_come_to_each_figure_now_and_as_it_stood(insured: Insured) -> None:
    bob = insured.clinic.biller
    figures = (Figure.INSURANCE_DUE, Figure.UNAPPLIED, Figure.INSURER_BALANCE)
    assert figures_of_insurers_seen(bob) == figures
    assert [_of(bob, insured, each) for each in figures] == [18_000, 3_000, 15_000]
    before = NOW + timedelta(minutes=59)
    assert [_of(bob, insured, each, known_before=before) for each in figures] == [30_000, 0, 30_000]
    assert [_of(bob, insured, each, known_before=NOW) for each in figures] == [0, 0, 0]
    assert _of(bob, insured, Figure.INSURANCE_DUE, client_text="cain") == 15_000
    assert _of(bob, insured, Figure.INSURANCE_DUE, client_id=insured.abel) == 3_000
    assert _of(bob, insured, Figure.INSURANCE_DUE, client_text="nobody") == 0
    rows = entries_behind_insurer(bob, insured.payer, Figure.INSURER_BALANCE).rows
    assert {row.client_name for row in rows} == {"", "Abel, Ana", "Cain, Ana"}


def test_who_is_limited_to_some_clients_sees_what_is_owed_for_them_and_no_credit(insured: Insured) -> None:
    clinic = insured.clinic
    StaffMember.objects.filter(pk=clinic.cast.bob.staff_member_id).update(limited_to_assigned=True)
    assign_staff(clinic.owner, insured.cain, clinic.cast.bob.staff_member_id)
    bob = clinic.cast.actor(clinic.cast.bob)
    assert figures_of_insurers_seen(bob) == (Figure.INSURANCE_DUE,)
    assert _of(bob, insured, Figure.INSURANCE_DUE) == 15_000
    with pytest.raises(NotFound):
        _of(bob, insured, Figure.UNAPPLIED)
    with pytest.raises(NotFound):
        _of(bob, insured, Figure.INSURANCE_DUE, client_id=insured.abel)
    browser, url = browser_of(clinic.cast.bob), f"/alder/insurers/{insured.payer}/"
    page = browser.get(url).text
    assert "$150.00" in page and "$180.00" not in page and "figure=unapplied" not in page
    assert "Abel, Ana" not in browser.get(f"{url}entries/").text
    assert browser.get(f"{url}entries/?figure=unapplied").status_code == 422
    assert browser.get(f"{url}entries/?of_client={insured.abel}").status_code == 404


def test_money_that_belongs_to_no_client_is_not_narrowed_to_one(insured: Insured) -> None:
    """Found by trying: of the client whose lines it paid it showed a credit below nothing, and too much due."""
    bob, url = browser_of(insured.clinic.cast.bob), f"/alder/insurers/{insured.payer}/entries/"
    for asked in (f"of_client={insured.abel}", "client=abel"):
        for figure in (Figure.UNAPPLIED, Figure.INSURER_BALANCE):
            page = bob.get(f"{url}?figure={figure}&{asked}")
            assert page.status_code == 422 and "belongs to no client" in page.text, (asked, figure)
        assert bob.get(f"{url}?figure={Figure.INSURANCE_DUE}&{asked}").status_code == 200
    with pytest.raises(NotFound):
        _of(insured.clinic.biller, insured, Figure.UNAPPLIED, client_text="abel")


def test_who_looked_at_one_clients_entries_is_written_down(insured: Insured) -> None:
    bob, url = browser_of(insured.clinic.cast.bob), f"/alder/insurers/{insured.payer}/entries/"
    bob.get(url)
    bob.get(f"{url}?of_client={insured.abel}")
    assert list(RecordView.objects.values_list("client_id", "page")) == [(insured.abel, "payments:insurer_entries")]


def test_without_billing_or_in_another_practice_there_are_none(insured: Insured) -> None:
    cast = insured.clinic.cast
    with pytest.raises(NotAllowed):
        _of(cast.actor(cast.dan), insured, Figure.INSURANCE_DUE)
    with pytest.raises(NotFound):
        entries_behind_insurer(insured.clinic.biller, uuid4(), Figure.INSURANCE_DUE)


def test_each_figure_of_an_insurers_pages_leads_to_the_same_figure(insured: Insured) -> None:
    bob, payer = browser_of(insured.clinic.cast.bob), insured.payer
    desk_url = f"/alder/billing/batch-payments/?payer={payer}"
    for address, figures in (
        (f"/alder/insurers/{payer}/", ["$180.00", "$30.00"]),
        (desk_url, ["$30.00", "$150.00", "$180.00"]),
        (f"{desk_url}&client=cain", ["$150.00", "$150.00"]),
        (f"/alder/clients/{insured.abel}/insurance-payments/new/?payer={payer}", ["$30.00", "$30.00"]),
    ):
        assert _followed(bob, address) == figures
    past = bob.get(f"/alder/insurers/{payer}/entries/?as_of=2026-11-16T10:59").text
    assert "$300.00" in past and "Paid" not in past.split("<tbody>")[1]


def _followed(browser: Browser, address: str) -> list[str]:
    """The amounts of a page that lead to entries, each found again where it leads."""
    links = re.findall(r'<a [^>]*href="([^"]*/entries/\?[^"]*)"[^>]*>([^<]*)</a>', browser.get(address).text)
    for url, shown in links:
        behind = browser.get(html.unescape(url)).text
        assert re.search(rf'<dl class="tiles">.*?<dd>{re.escape(shown)}</dd>', behind, re.DOTALL), (url, shown)
    return [shown for _, shown in links]


def test_what_a_page_has_no_room_for_is_counted_in_words(insured: Insured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "MOST_LINES", 1)
    bob = browser_of(insured.clinic.cast.bob)
    page = bob.get(f"/alder/billing/batch-payments/?payer={insured.payer}").text
    words = " ".join(re.sub("<[^>]*>", "", page).split())
    assert "Only the oldest 1 lines are listed, with $30.00 of the $180.00 due." in words
    assert "$180.00" in _followed(bob, f"/alder/billing/batch-payments/?payer={insured.payer}")


def test_many_entries_cost_no_more_queries(insured: Insured, django_assert_num_queries: Any) -> None:
    bob, clinic = insured.clinic.biller, insured.clinic
    with django_assert_num_queries(5):
        entries_behind_insurer(bob, insured.payer, Figure.INSURANCE_DUE)
    for day in range(1, 9):
        visit = clinic.visit(insured.cain, clinic.talk, clinic.letter, day=DAY.replace(day=day))[0]
        bill_visit(bob, visit_id=visit)
    with django_assert_num_queries(5):
        entries_behind_insurer(bob, insured.payer, Figure.INSURANCE_DUE)
