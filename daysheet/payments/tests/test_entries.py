"""Every figure of a client opens to the entries behind it, and they come to exactly that figure (M8)."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse

from daysheet.clients.queries import get_client
from daysheet.clients.registry import tiles_for
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.invoicing.queries.invoice_page import invoice_by_number
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.kit.money import Money
from daysheet.ledger.queries import client_activity, client_balances
from daysheet.payments.actions import accept_payment
from daysheet.payments.corrections import change_responsibility, refund_payment, reverse_payment, unapply, write_off
from daysheet.payments.insurance import LinePosting, accept_insurance_payment
from daysheet.payments.models import Payment
from daysheet.payments.queries.entries import (
    PAYMENT_FIGURES,
    Figure,
    Narrowed,
    entries_behind,
    entries_behind_payment,
)
from daysheet.payments.queries.payment import payment_view
from daysheet.payments.redating import edit_payment
from daysheet.practices.models import User
from tests.billing import DAY, Clinic, build_clinic
from tests.people import NOW, Cast

from .desk import pay

TILES = (Figure.CLIENT_DUE, Figure.INSURANCE_DUE, Figure.CREDIT, Figure.BALANCE)


def _history(clinic: Clinic) -> tuple[UUID, int]:
    """An insured client with everything on the ledger; the client's id and the invoice's number."""
    client = clinic.client(insured=True, copay_cents=2500)
    visit, _ = clinic.visit(client, clinic.talk)
    number = bill_visit(clinic.biller, visit_id=visit).created[0].number
    line = InvoiceLine.objects.get()
    paid = accept_payment(
        clinic.biller, request_key=uuid4(), client_id=client, amount_cents=4000, method="cash", received_on=NOW.date(),
    ).payment_id  # fmt: skip
    later = replace(clinic.biller, now=NOW + timedelta(hours=1))
    unapply(later, request_key=uuid4(), payment_id=paid, reason="Other date")
    refund_payment(
        later, request_key=uuid4(), payment_id=paid, amount_cents=700, refunded_on=NOW.date(), reason="Too much"
    )
    assert line.coverage is not None
    accept_insurance_payment(
        later, request_key=uuid4(), payer_id=line.coverage.payer_id, amount_cents=8100, method="eft",
        received_on=NOW.date(), postings={line.pk: LinePosting(8000, 500, 0)}, expected_credit_cents=100,
    )  # fmt: skip
    change_responsibility(
        later, request_key=uuid4(), line_id=line.pk, to_side="client", amount_cents=1000, reason="Deductible"
    )
    write_off(later, request_key=uuid4(), line_id=line.pk, side="client", amount_cents=300, reason="Hardship")
    return client, number


@pytest.fixture
def clinic(cast: Cast) -> Clinic:
    with practice_transaction(cast.alder.id):
        return build_clinic(cast)


def test_the_entries_come_to_each_figure_now_and_as_it_stood(cast: Cast, clinic: Clinic) -> None:
    with practice_transaction(cast.alder.id):
        client, number = _history(clinic)
        balances = client_balances(clinic.biller, client)

        def sums(**asked: Any) -> list[int]:
            pages = [entries_behind(clinic.biller, client, figure, Narrowed(**asked)) for figure in TILES]
            for page in pages:
                assert sum(row.change_cents for row in page.rows) == page.figure_cents
            return [page.figure_cents for page in pages]

        assert sums() == [
            balances.client_due_cents, balances.insurance_due_cents, balances.credit_cents, balances.balance_cents,
        ]  # fmt: skip
        assert sums() == [3200, 3000, 3300, 2900]
        # Before the corrections: $25 of $40 was applied, the rest was credit, the insurer owed all of its part.
        assert sums(known_before=NOW + timedelta(minutes=1)) == [0, 12500, 1500, 11000]
        assert sums(known_before=NOW) == [0, 0, 0, 0]
        assert sums(until_on=NOW.date() - timedelta(days=1)) == [0, 0, 0, 0]
        line = InvoiceLine.objects.get()
        for narrowed in ({"invoice_number": number}, {"line_id": line.pk}):
            assert sums(**narrowed)[:2] == [line.client_open_cents, line.insurance_open_cents]


def test_every_figure_of_the_ledgers_tabs_and_of_an_invoice_is_its_entries(cast: Cast, clinic: Clinic) -> None:
    with practice_transaction(cast.alder.id):
        client, number = _history(clinic)
        invoice = invoice_by_number(clinic.biller, number)
        [line] = invoice.lines

        def of(figure: Figure, **asked: Any) -> int:
            return entries_behind(clinic.biller, client, figure, Narrowed(**asked)).figure_cents

        for narrowed in ({"invoice_number": number}, {"line_id": line.id}):
            assert of(Figure.CHARGED, **narrowed) == invoice.total_cents == 15_000
            assert of(Figure.CHARGED_CLIENT, **narrowed) == line.client_cents == 2_500
            assert of(Figure.CHARGED_INSURANCE, **narrowed) == line.insurance_cents == 12_500
            assert of(Figure.SETTLED, **narrowed) == invoice.settled_cents == 8_800
            assert of(Figure.DUE, **narrowed) == invoice.open_cents
        rows = client_activity(clinic.biller, client).rows
        assert len(rows) > 8
        for row in rows:
            assert of(Figure.BALANCE, through=row.entry_id) == row.balance_cents
            assert of(Figure.CLIENT_BALANCE, through=row.entry_id) == row.client_balance_cents


def test_every_figure_of_a_payment_is_its_entries_whatever_happened_to_it(cast: Cast, clinic: Clinic) -> None:
    with practice_transaction(cast.alder.id):
        client, _ = _history(clinic)
        deleted = pay(clinic.biller, client, 1_000, applications={}).payment_id
        reverse_payment(clinic.biller, request_key=uuid4(), payment_id=deleted, reason="Bounced")
        moved = pay(clinic.biller, client, 3_000).payment_id
        edit_payment(
            clinic.biller, request_key=uuid4(), payment_id=moved, method="check", received_on=DAY, number="", notes="",
            reason="Misread",
        )  # fmt: skip
        assert Payment.objects.count() == 4
        for payment in Payment.objects.all():
            row = payment_view(clinic.biller, payment.pk).row
            shown = {
                figure: entries_behind_payment(clinic.biller, payment.pk, figure).figure_cents
                for figure in PAYMENT_FIGURES
            }
            assert shown == {
                Figure.RECEIVED: row.amount_cents, Figure.APPLIED: row.applied_cents,
                Figure.UNAPPLIED: row.credit_cents, Figure.RETURNED: row.returned_cents,
            }  # fmt: skip
            for invoice in payment_view(clinic.biller, payment.pk).invoices:
                part = Narrowed(invoice_number=invoice.number)
                assert entries_behind_payment(clinic.biller, payment.pk, Figure.APPLIED, part).figure_cents == (
                    invoice.cents
                )


def test_each_figure_on_a_page_leads_to_the_same_figure(cast: Cast, clinic: Clinic) -> None:
    """Every amount of the tabs, of an invoice and of a payment: its link opens a page that shows exactly it."""
    with time_machine.travel(NOW, tick=False), practice_transaction(cast.alder.id):
        client, number = _history(clinic)
        browser = Browser()
        browser.force_login(User.objects.get(pk=cast.bob.user_id))
        ledger = f"/alder/clients/{client}/ledger/"
        payments = [f"/alder/payments/{key}/" for key in Payment.objects.values_list("pk", flat=True)]
        tabs = [f"{ledger}?tab={tab}" for tab in ("open", "paid", "payments", "activity")]
        followed = 0
        for address in (*tabs, f"/alder/invoices/{number}/", *payments):
            page = browser.get(address).text
            for url, shown in re.findall(r'<a [^>]*href="([^"]*/entries/\?[^"]*)"[^>]*>([^<]*)</a>', page):
                behind = browser.get(html.unescape(url))
                assert behind.status_code == 200, url
                figure = re.search(r"<dl class=\"tiles\">.*?<dd>([^<]*)", behind.text, re.DOTALL)
                assert figure, url
                amount = re.sub(r" (refunded|deleted)$", "", shown)
                assert _signed(figure.group(1)) == _signed(amount), (address, url)
                followed += 1
        assert followed > 40


def _signed(words: str) -> str:
    """`$5.00 credit` is what a balance below nothing is called."""
    plain = words.strip().replace("&minus;", "−")
    return f"−{plain.removesuffix(' credit')}" if plain.endswith(" credit") else plain


def test_each_tile_leads_to_a_page_that_shows_its_figure(cast: Cast, clinic: Clinic) -> None:
    with time_machine.travel(NOW, tick=False), practice_transaction(cast.alder.id):
        client, number = _history(clinic)
        browser = Browser()
        browser.force_login(User.objects.get(pk=cast.bob.user_id))
        tiles = [
            tile
            for tile in tiles_for(clinic.biller, get_client(clinic.biller, client))
            if "$" in tile.value and "Copay" not in tile.label
        ]
        assert len(tiles) == 3
        for tile in tiles:
            page = browser.get(tile.url).text
            assert re.search(rf"<dt>{tile.label}</dt>\s*<dd>{re.escape(tile.value)}", page), tile
            assert Money.parse(tile.value).cents > 0
        invoice = browser.get(reverse("invoicing:invoice", kwargs={"practice": "alder", "number": number})).text
        for figure in ("client_due", "insurance_due"):
            address = f"{_address(client)}?figure={figure}&amp;invoice={number}"
            assert address in invoice
            assert browser.get(address.replace("&amp;", "&")).status_code == 200
        past = browser.get(f"{_address(client)}?figure=client_due&as_of=2026-11-16T09:59").text
        assert "No entries" in past
        assert browser.get(f"{_address(client)}?as_of=yesterday").status_code == 422
        assert browser.get(f"{_address(client)}?figure=all").status_code == 422


def test_without_billing_or_in_another_practice_there_are_none(cast: Cast, clinic: Clinic) -> None:
    with practice_transaction(cast.alder.id):
        client, _ = _history(clinic)
        with pytest.raises(NotAllowed):
            entries_behind(cast.actor(cast.dan), client, Figure.BALANCE)
        with pytest.raises(NotFound):
            entries_behind(clinic.biller, uuid4(), Figure.BALANCE)
        assert Invoice.objects.count() == 1


def _address(client: UUID) -> str:
    return reverse("payments:entries", kwargs={"practice": "alder", "client": client})


def test_totals_under_lines_open_to_their_entries_too(cast: Cast, clinic: Clinic) -> None:
    bob = Browser()
    bob.force_login(User.objects.get(pk=cast.bob.user_id))
    with practice_transaction(cast.alder.id):
        ana = clinic.client()
        number = bill_visit(clinic.biller, visit_id=clinic.visit(ana, clinic.talk)[0]).created[0].number
        entries = f"{_address(ana)}?figure="
        assert f'<a href="{entries}client_due">$150.00</a>' in bob.get(f"/alder/clients/{ana}/payments/new/").text
        invoice = bob.get(f"/alder/invoices/{number}/").text
        for figure, shown in (("charged", "$150.00"), ("charged_client", "$150.00"), ("charged_insurance", "$0.00")):
            assert f'<a href="{entries}{figure}&amp;invoice={number}">{shown}</a>' in invoice
        assert f'<a href="{entries}due&amp;invoice={number}">$150.00</a>' in invoice
        assert "$150.00" in bob.get(f"{entries}due&invoice={number}").text


def test_each_field_above_the_entries_has_its_own_name(cast: Cast, clinic: Clinic) -> None:
    """The figure's name was on all of them: a part of the page takes `label` for other words."""
    bob = Browser()
    bob.force_login(User.objects.get(pk=cast.bob.user_id))
    with practice_transaction(cast.alder.id):
        page = bob.get(_address(clinic.client())).text
    labels = [label.strip() for label in re.findall(r'<label for="id_[^"]*">([^<]*)', page)]
    assert labels == ["Figure", "Invoice", "Posted through", "As it stood at"]
