"""Who opened a client's record is written down: each page once, and nothing that was refused."""

from __future__ import annotations

import html
from collections.abc import Callable

import pytest
from django.http import HttpResponseBase
from django.test import Client as Browser

from daysheet.audit.models import RecordView
from daysheet.clients.actions import add_client
from daysheet.clients.models import Client
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.models import Invoice
from daysheet.payments.tests.desk import bill
from daysheet.practices.models import Practice
from daysheet.schedule.models import Visit
from daysheet.staff.models import StaffMember
from tests.architecture.test_methods import addresses_of
from tests.architecture.world import build_world
from tests.billing import Clinic, build_clinic
from tests.pages import named_in
from tests.people import Cast, Person

SignIn = Callable[[Person], Browser]
#: Files: what they say is not looked into.
PAPERS = {"documents:document_pdf", "documents:made_together_pdf", "mail:attachment"}
#: Pages about many clients, or about something else that names some.
LISTS = {
    *("audit:activity_log", "automation:automation", "automation:dry_run", "automation:end_rule", "automation:night"),
    *("cards:charge_cards", "cards:charge_run", "claims:list", "clients:add", "clients:list", "first_hour:guide"),
    *("invoicing:batch_run", "invoicing:unbilled", "mail:delivery_log", "mailings:existing_invoices"),
    *("payments:apply_insurance_credit", "payments:batch_payments", "payments:insurer_entries"),
    *("reports:aging_lines", "reports:credits", "reports:day_sheet", "reports:entries", "reports:invoice_aging"),
    *("reports:payment_methods", "reports:payments", "schedule:add_appointment", "schedule:agenda"),
    "schedule:calendar",
}


def read(answer: HttpResponseBase) -> str:
    return "" if answer.streaming else answer.content.decode(errors="replace")


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
        names = {html.escape(each.last_name) for each in Client.objects.all()}
    alice = sign_in(cast.alice)
    shown, noted = set(), set()
    for name, url in addresses_of(world):
        before = len(seen(cast))
        answer = alice.get(url)
        if answer.status_code == 200 and (name in PAPERS or named_in(read(answer), names)):
            shown.add(name)
            noted |= {name} if seen(cast)[before:] else set()
    assert len(noted) > 40
    assert shown - noted == LISTS
    assert noted & LISTS == set()


def test_what_was_refused_reloaded_in_part_or_is_nobodys_record_is_none(
    cast: Cast, clinic: Clinic, sign_in: SignIn
) -> None:
    with practice_transaction(cast.alder.id):
        client = add_client(clinic.owner, first_name="Ana", last_name="Ruiz").pk
        appointment = Visit.objects.get(pk=clinic.visit(client, clinic.talk)[0]).appointment_id
    assert sign_in(cast.dan).get(f"/alder/clients/{client}/ledger/").status_code == 403
    assert sign_in(cast.charlie).get(f"/alder/clients/{client}/").status_code == 404
    bob = sign_in(cast.bob)
    part = bob.get(f"/alder/appointments/{appointment}/move/", headers={"hx-request": "true"})
    assert part.status_code == 200 and b"<html" not in part.content
    bob.get("/alder/clients/")
    bob.post(f"/alder/clients/{client}/")
    assert seen(cast) == []


@pytest.mark.parametrize("header", ["true", "false", "no"])
def test_a_whole_page_is_written_down_whatever_the_browser_says_of_it(
    cast: Cast, clinic: Clinic, sign_in: SignIn, header: str
) -> None:
    with practice_transaction(cast.alder.id):
        client = add_client(clinic.owner, first_name="Ana", last_name="Ruiz").pk
    answer = sign_in(cast.bob).get(f"/alder/clients/{client}/", headers={"hx-request": header})
    assert b"<html" in answer.content and b"Ruiz" in answer.content
    assert [page for _, page in seen(cast)] == ["clients:details"]


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
