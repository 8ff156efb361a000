"""Documents as a biller makes them: a statement from the Ledger, an invoice's PDF and superbill, a receipt, a Good
Faith Estimate; and how they look, from the Organization's settings."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from daysheet.documents.tests.pictures import picture
from daysheet.documents.tests.reading import assert_accessible, page_texts

from .conftest import Enter
from .server import Server
from .visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_statement_is_chosen_seen_made_and_found_again(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    bob.open(f"{server.client('dolf')}/ledger/")
    bob.link("Statement").click()
    bob.sees_heading("Statement: Dolf Statement")
    bob.sees("Amount due:")
    bob.look("statement")
    bob.page.get_by_label("List charges").select_option("By invoice date")
    bob.button("Show").click()
    bob.sees("Listed: by invoice date")
    text = page_texts(made(bob))
    assert "Dolf Statement" in text[0] and "Page 1 of 1" in text[0]
    bob.open(f"{server.client('dolf')}/documents/")
    bob.sees_heading("Documents: Dolf Statement")
    bob.look("documents")
    bob.link("Statement", bob.page.get_by_role("region", name="Documents that were made")).click()
    bob.sees(re.compile("^Made on"))
    bob.look("document-as-made")


def test_an_invoice_is_printed_and_has_a_superbill(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    bob.open(f"{server.client('dolf')}/ledger/")
    bob.page.get_by_role("region", name="Invoices").get_by_role("link").first.click()
    bob.sees_heading(re.compile("^Invoice "))
    bob.look("invoice-with-documents")
    bob.link("Print").click()
    bob.sees("Amount due from you")
    bob.look("invoice-print")
    bob.page.emulate_media(media="print")
    expect(bob.page.get_by_role("banner")).to_be_hidden()
    expect(bob.page.get_by_role("article")).to_be_visible()
    bob.page.emulate_media(media="screen")
    assert "Amount due from you" in page_texts(made(bob))[0]
    bob.page.go_back()
    bob.link(re.compile("^Invoice ")).first.click()
    bob.link("Superbill").click()
    bob.sees("This is no bill.")
    bob.look("superbill")
    assert "Superbill" in page_texts(made(bob))[0]


def test_a_payment_has_a_receipt(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    bob.open(f"{server.client('dolf')}/ledger/?tab=payments")
    bob.page.get_by_role("region", name="Payments").get_by_role("link").first.click()
    bob.sees_heading(re.compile("^Payment of "))
    bob.link("Receipt").click()
    bob.sees("Received:")
    bob.look("receipt")
    assert "Receipt" in page_texts(made(bob))[0]


def test_a_client_who_pays_alone_is_given_an_estimate_in_time(enter: Enter, server: Server) -> None:
    bob = enter("bob")
    bob.open("/alder/billing/estimates/")
    bob.sees_heading("Good Faith Estimates")
    bob.look("estimates-owed")
    bob.link("New Estimate for Statement, Gwen").click()
    bob.sees_heading("New Good Faith Estimate: Gwen Statement")
    bob.look("estimate-new")
    bob.page.get_by_label("How often").fill("weekly")
    bob.button("Add a Service").click()
    bob.button("Save Estimate").click()
    bob.sees("The estimate is kept.")
    bob.look("estimate")
    assert "Good Faith Estimate" in page_texts(made(bob))[0]
    bob.open("/alder/billing/estimates/")
    expect(bob.row("Statement, Gwen")).to_have_count(0)


def test_how_documents_look_is_set_once(enter: Enter, server: Server) -> None:
    alice = enter("alice")
    alice.open("/alder/organization/settings")
    alice.link("Change", alice.page.get_by_role("region", name="Documents")).click()
    alice.sees_heading("How documents look")
    alice.page.get_by_label("Message").fill("Thank you.")
    alice.button("Save").click()
    alice.sees("New documents look like this from now on.")
    alice.page.locator("input[type=file]").set_input_files(
        {"name": "logo.png", "mimeType": "image/png", "buffer": picture((300, 90))}
    )
    alice.page.get_by_label("Text for people who cannot see it").fill("Alder Clinic")
    alice.button("Upload Logo").click()
    alice.sees("The logo is printed on new documents from now on.")
    alice.look("documents-look")


def made(visitor: Visitor) -> bytes:
    """The file that the page's button makes: read back and found accessible."""
    with visitor.page.expect_response(re.compile(r"/pdf/$")) as answered:
        visitor.button("PDF").click()
    address = answered.value.url
    file = visitor.context.request.get(address).body()
    assert_accessible(file)
    return file
