"""Who opened a client's record is written down: each page once, and nothing that was refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client as Browser

from daysheet.audit.models import RecordView
from daysheet.clients.actions import add_client
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.models import Invoice
from daysheet.payments.tests.desk import bill
from daysheet.practices.models import Practice
from daysheet.staff.models import StaffMember
from tests.architecture.test_methods import addresses_of
from tests.architecture.world import build_world
from tests.billing import Clinic, build_clinic
from tests.people import Cast, Person

SignIn = Callable[[Person], Browser]
#: Pages of one client's record whose addresses do not name the client.
OF_A_RECORD = {
    *("clients:edit_coverage", "clients:end_coverage", "clients:end_diagnosis", "schedule:appointment"),
    *("documents:document", "documents:document_pdf", "documents:made_together", "documents:made_together_pdf"),
    *("documents:estimate", "documents:invoice_superbill", "documents:print_invoice", "documents:receipt"),
    *("invoicing:invoice", "invoicing:void_invoice", "payments:payment", "payments:payment_entries"),
    *("payments:delete_payment", "payments:refund", "payments:unapply", "payments:void_and_rebill"),
    *("payments:write_off", "cards:charge", "mail:message", "mail:attachment"),
}


@pytest.fixture
def clinic(cast: Cast) -> Clinic:
    with practice_transaction(cast.alder.id):
        return build_clinic(cast)


def seen(cast: Cast) -> list[tuple[str, str]]:
    with practice_transaction(cast.alder.id):
        return list(RecordView.objects.order_by("at", "pk").values_list("person_name", "page"))


def test_each_page_of_a_record_that_was_shown_is_one_row(cast: Cast, clinic: Clinic, sign_in: SignIn) -> None:
    with practice_transaction(cast.alder.id):
        client = add_client(clinic.owner, first_name="Ana", last_name="Ruiz").pk
        number = Invoice.objects.get(pk=bill(clinic.biller, client, 5_000).id).number
        bob = StaffMember.objects.get(pk=cast.bob.staff_member_id)
    browser = sign_in(cast.bob)
    for address in (f"clients/{client}/", f"clients/{client}/ledger/", f"invoices/{number}/"):
        assert browser.get(f"/alder/{address}").status_code == 200, address
    assert [page for _, page in seen(cast)] == ["clients:details", "payments:ledger", "invoicing:invoice"]
    assert {name for name, _ in seen(cast)} == {f"{bob.first_name} {bob.last_name}"}


def test_a_page_that_is_reached_by_something_of_a_record_is_one_too(cast: Cast, sign_in: SignIn) -> None:
    """Papers, diagnoses, payments, messages, appointments: their addresses name no client."""
    with practice_transaction(cast.alder.id):
        world = build_world(cast)
    alice = sign_in(cast.alice)
    for name, url in addresses_of(world, OF_A_RECORD):
        assert alice.get(url).status_code == 200, name
        assert seen(cast)[-1][1] == name


def test_what_was_refused_reloaded_in_part_or_is_nobodys_record_is_none(
    cast: Cast, clinic: Clinic, sign_in: SignIn
) -> None:
    with practice_transaction(cast.alder.id):
        client = add_client(clinic.owner, first_name="Ana", last_name="Ruiz").pk
    assert sign_in(cast.dan).get(f"/alder/clients/{client}/ledger/").status_code == 403
    assert sign_in(cast.charlie).get(f"/alder/clients/{client}/").status_code == 404
    bob = sign_in(cast.bob)
    bob.get(f"/alder/clients/{client}/", headers={"hx-request": "true"})
    bob.get("/alder/clients/")
    bob.post(f"/alder/clients/{client}/")
    assert seen(cast) == []


def test_administrators_read_who_looked_and_others_do_not(cast: Cast, clinic: Clinic, sign_in: SignIn) -> None:
    with practice_transaction(cast.alder.id):
        client = add_client(clinic.owner, first_name="Ana", last_name="Ruiz").pk
        assert Practice.objects.count() >= 1
    empty = sign_in(cast.alice).get(f"/alder/clients/{client}/views")
    assert b"Nobody yet" in empty.content
    sign_in(cast.bob).get(f"/alder/clients/{client}/")
    page = sign_in(cast.alice).get(f"/alder/clients/{client}/views").content.decode()
    assert "Details" in page and "Who Looked" in page
    assert sign_in(cast.bob).get(f"/alder/clients/{client}/views").status_code == 403
    assert sign_in(cast.charlie).get(f"/alder/clients/{client}/views").status_code == 404
