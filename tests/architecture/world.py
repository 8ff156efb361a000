"""One object of every kind in Alder Clinic, and the address of every page with those objects' ids filled in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from daysheet.audit.seals import seal_night
from daysheet.automation.actions import Settings, add_exclusion, save_plan
from daysheet.automation.nights import begin_night
from daysheet.cards.actions import due_by_client
from daysheet.cards.tests.conftest import connect_desk
from daysheet.claims.actions import queue_claims
from daysheet.claims.models import Claim
from daysheet.clients.actions import (
    add_billing_note,
    add_client,
    add_coverage,
    add_diagnosis,
    add_payer,
    edit_client,
    set_bill_to,
)
from daysheet.documents.actions import edit_document_settings, make_documents, upload_logo
from daysheet.documents.estimates.actions import (
    EstimateTerms,
    ExpectedService,
    give_estimate,
    note_estimate_request,
)
from daysheet.documents.papers import Kind
from daysheet.documents.rendering import Period, invoice_papers
from daysheet.documents.tests.pictures import picture
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.batches import BatchRequest, start_batch
from daysheet.invoicing.models import InvoiceLine
from daysheet.jobs.jobs import run_job
from daysheet.jobs.models import JobRun
from daysheet.ledger.models import Entry
from daysheet.mailings.actions import MailingRequest, email_documents, start_mailing
from daysheet.mailings.rules import Ways
from daysheet.payments.actions import accept_payment
from daysheet.payments.corrections import write_off
from daysheet.payments.insurance import accept_insurance_payment
from daysheet.payments.models import Payment
from daysheet.practices.actor import Actor
from daysheet.practices.models import User
from daysheet.schedule.actions import ServiceChoice, Slot, add_appointment
from daysheet.schedule.feeds import make_feed
from daysheet.schedule.models import Appointment, Visit, VisitService
from daysheet.schedule.series import add_series
from daysheet.schedule.series_rules import Frequency, begin
from daysheet.services.actions import set_client_service
from daysheet.staff.actions import add_staff_member, invite_staff_member
from daysheet.staff.models import CptLicense
from tests.billing import DAY, Clinic, build_clinic
from tests.people import NOW, Cast, Person

from .prices import prices_of

_LOCATIONS_FILE = b"ID,Name,Place of Service\nL9,Annex,11\n"


@dataclass(frozen=True)
class World:
    clinic: Clinic
    cast: Cast
    ids: dict[str, Any]


def build_world(cast: Cast) -> World:
    """Everything through the real actions; call inside Alder's transaction."""
    clinic = build_clinic(cast)
    owner = clinic.owner
    since = date(2026, 1, 1)
    seal_night(cast.alder, owner.now)
    client = add_client(owner, first_name="Ana", last_name="Ruiz").pk
    payer = add_payer(owner, name="Harbor Health").pk
    coverage = add_coverage(owner, client, payer_id=payer, insured_id="X1", starts_on=since, copay_cents=2500)
    set_bill_to(owner, client, pays_by="insurance")
    diagnosis = add_diagnosis(owner, client, code="F41.1", starts_on=since)
    set_client_service(owner, client, clinic.talk.pk, is_default=True, set_payment_amount_cents=None)
    prices = prices_of(owner, client=client, payer=payer, service_type=clinic.talk.pk, since=since)
    slot = Slot(DAY, time(9), 50, cast.carol.staff_member_id, clinic.location.pk)
    billed = add_appointment(owner, slot=slot, members={client: [ServiceChoice(clinic.talk.pk)]})
    billed_visit = Visit.objects.get(appointment_id=billed)
    invoice = bill_visit(clinic.biller, visit_id=billed_visit.pk).created[0]
    open_one = add_appointment(owner, slot=slot, members={client: [ServiceChoice(clinic.talk.pk)]})
    series = add_series(
        owner, slot=replace(slot, at=time(11)), members={client: [ServiceChoice(clinic.talk.pk)]},
        repeat=begin(Frequency.WEEKLY, DAY, count=3),
    )  # fmt: skip
    batched = add_appointment(owner, slot=slot, members={client: [ServiceChoice(clinic.letter.pk)]})
    paid = accept_payment(
        clinic.biller, request_key=uuid4(), client_id=client, amount_cents=1000, method="cash", received_on=DAY,
        applications=None,
    )  # fmt: skip
    line = InvoiceLine.objects.get(invoice__number=invoice.number)
    write_off(clinic.biller, request_key=uuid4(), line_id=line.pk, side="client", amount_cents=100, reason="Hardship")
    cheque = accept_insurance_payment(
        clinic.biller, request_key=uuid4(), payer_id=payer, amount_cents=500, method="eft", received_on=DAY,
        postings={}, expected_credit_cents=500,
    ).payment_id  # fmt: skip
    note = add_billing_note(owner, client, text="Calls back in May")
    token = _token(owner)
    queue_claims(clinic.biller, invoice_id=invoice.id)
    ids = {
        "client": client, "payer": payer, "coverage": coverage.pk, "diagnosis": diagnosis.pk,
        "claim": Claim.objects.get().pk,
        "service_type": clinic.talk.pk, **prices,
        "appointment": open_one, "series": series,
        "occurrence": Appointment.objects.filter(series=series).earliest("occurrence_on").pk,
        "visit": Visit.objects.get(appointment_id=open_one).pk, "number": invoice.number,
        "batch": _batch(clinic, client, batched), "note": note.pk, "line": line.pk,
        "entry": Entry.objects.get(debit_account="write_off").pk, "payment": paid.payment_id,
        "insurer_payment": cheque,
        "location": clinic.location.pk, "license": CptLicense.objects.get().pk,
        "staff_member": cast.dan.staff_member_id, "token": token,
        "feed": make_feed(cast.actor(cast.carol)),
        **_upload(cast),
        **_cards(clinic, client),
        **_post(clinic, client, invoice.id),
        **_night(clinic),
        "step": "client", "page": "import", "picture": "agenda",
        **_documents(clinic, client, invoice.id),
    }  # fmt: skip
    return World(clinic, cast, ids)


def browser_of(person: Person) -> Browser:
    """Signed in as this person; a server error is an answer, not an exception."""
    browser = Browser(raise_request_exception=False)
    browser.force_login(User.objects.get(pk=person.user_id))
    return browser


def practice_urls() -> dict[str, tuple[str, ...]]:
    """{URL name: its parameters beside `practice`} of everything under `/<practice>/`."""
    return {name: params for name, params in all_urls().items() if "practice" in params}


def all_urls() -> dict[str, tuple[str, ...]]:
    """{URL name: its parameters} of everything, sign-in included."""
    return dict(_walk(get_resolver(), "", ()))


def address(name: str, practice: str, params: tuple[str, ...], ids: dict[str, Any]) -> str:
    """The address of a page with the world's ids."""
    return reverse(name, kwargs={"practice": practice, **{p: ids[p] for p in params if p != "practice"}})


def _walk(resolver: Any, namespace: str, above: tuple[str, ...]) -> Any:
    for each in resolver.url_patterns:
        params = above + tuple(each.pattern.regex.groupindex)
        if isinstance(each, URLResolver):
            yield from _walk(each, namespace + (f"{each.namespace}:" if each.namespace else ""), params)
        elif isinstance(each, URLPattern):
            yield f"{namespace}{each.name}", params


def _batch(clinic: Clinic, client: Any, appointment: Any) -> Any:
    services = VisitService.objects.filter(visit__appointment_id=appointment).values_list("pk", flat=True)
    batch_id = start_batch(
        clinic.biller, batch_id=uuid4(), from_on=DAY, to_on=DAY, items=[BatchRequest(client, tuple(services))],
        expected_count=1, expected_cents=4000,
    )  # fmt: skip
    run_job(clinic.cast.alder.id, JobRun.objects.get(subject_id=batch_id).pk)
    return batch_id


def _post(clinic: Clinic, client: Any, invoice_id: Any) -> dict[str, Any]:
    """A document, e-mailed; and a run that printed it."""
    documents = _documents(clinic, client, invoice_id)
    edit_client(clinic.owner, client, email="ana@clients.example")
    message = email_documents(
        clinic.biller, request_id=uuid4(), client_id=client, kind=Kind.INVOICE, document_ids=[documents["document"]],
        text="Your invoice is attached.",
    )  # fmt: skip
    run_job(clinic.cast.alder.id, JobRun.objects.get(kind="mail_delivery").pk)
    mailing = start_mailing(
        clinic.biller, mailing_id=uuid4(), request=MailingRequest(Kind.INVOICE, Period(DAY, DAY), Ways.PRINT),
        invoices={client: [invoice_id]}, expected_count=1, expected_cents=0,
    )  # fmt: skip
    run_job(clinic.cast.alder.id, JobRun.objects.get(kind="mailing").pk)
    add_client(clinic.owner, first_name="Zoe", last_name="Other")
    return {**documents, "message": message, "position": 1, "mailing": mailing}


def _cards(clinic: Clinic, client: Any) -> dict[str, Any]:
    """A stored card, charged, refunded in part, disputed and won, by a processor in this process."""
    with pytest.MonkeyPatch.context() as patch:
        desk = connect_desk(clinic, patch)
        card = desk.card(client)
        charge = desk.charge(client, card, due_by_client([client]).get(client, 0) + 1000, credit_cents=1000)
        payment = Payment.objects.get(charge_id=charge.pk)
        refund = desk.refund(payment.pk, 100)
        desk.processor.dispute(desk.processor.charges()[0]["id"])
        desk.processor.dispute(desk.processor.charges()[0]["id"], "won")
        desk.hear()
    return {
        "card": card,
        "run": charge.run_id,
        "charge": charge.pk,
        "card_refund": refund,
        "setup": charge.card.setup_id,
        "account": desk.account.pk,
    }


def _night(clinic: Clinic) -> dict[str, Any]:
    """A night that bills one date of service and leaves another out by a rule."""
    day = date(2026, 11, 15)
    settings = Settings(
        creates_invoices=True, queues_claims=True, starts_on=day, look_back_days=1, grouping="client",
        recipient_ids=frozenset({clinic.cast.bob.staff_member_id}),
    )  # fmt: skip
    save_plan(replace(clinic.owner, now=NOW - timedelta(days=1)), settings, seen_version=0)
    rule = add_exclusion(
        clinic.owner, exclusion_id=uuid4(), note="Court letters", for_invoices=True, for_claims=False,
        service_type_id=clinic.letter.pk,
    )  # fmt: skip
    clinic.visit(clinic.client("Nightly"), clinic.talk, day=day)
    clinic.visit(clinic.client("Court"), clinic.letter, day=day)
    night = begin_night(clinic.owner)
    assert night is not None
    run_job(clinic.cast.alder.id, JobRun.objects.get(subject_id=night.batch_id).pk)
    return {"night": night.pk, "rule": rule.pk}


def _documents(clinic: Clinic, client: Any, invoice_id: Any) -> dict[str, Any]:
    """A letterhead with a logo, and a document that was made with it."""
    edit_document_settings(clinic.owner, pay_to="location", brand_colour="#1f4d3a", message="Thank you")
    logo = uuid4()
    upload_logo(clinic.owner, logo_id=logo, content=picture(), alt="Alder Clinic")
    run = uuid4()
    (paper,) = invoice_papers(clinic.biller, [invoice_id])
    document = make_documents(clinic.biller, request_id=run, papers=[paper])[0]
    return {"document": document, "logo": logo, "made_in": run, "estimate": _estimate(clinic, client)}


def _estimate(clinic: Clinic, client: Any) -> Any:
    """Asked for, given, and given anew."""
    note_estimate_request(clinic.biller, client, request_id=uuid4(), requested_on=DAY)
    edit_client(clinic.owner, client, birth_on=date(1984, 5, 6))
    terms = EstimateTerms(DAY, DAY, "Talking", clinic.location.pk)
    provider = clinic.cast.carol.staff_member_id
    assert provider is not None
    for _ in range(2):
        estimate = give_estimate(
            clinic.biller, client, estimate_id=uuid4(), terms=terms,
            services=[ExpectedService(clinic.talk.pk, provider, 1, 15000)],
        )  # fmt: skip
    return estimate


def _token(owner: Actor) -> str:
    person = add_staff_member(owner, first_name="Eve", last_name="New", email="eve@alder.example")
    sent = invite_staff_member(owner, person.pk, link_for=lambda token: f"https://example.org/{token}")
    assert sent.token
    return sent.token


def _upload(cast: Cast) -> dict[str, str]:
    file = SimpleUploadedFile("locations.csv", _LOCATIONS_FILE, "text/csv")
    answer = browser_of(cast.alice).post("/alder/import/", {"kind": "locations", "file": file})
    parts = answer["Location"].strip("/").split("/")
    return {"kind": parts[-2], "sha256": parts[-1]}
