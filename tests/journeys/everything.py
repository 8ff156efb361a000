"""One object of every kind, so that the sweep can open every page: the ids that addresses are made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

if TYPE_CHECKING:
    from .practice import _Builder


def ids_of_everything(builder: _Builder) -> dict[str, str]:
    """{parameter of an address: id}. `billed_visit` stands for `visit` where a page needs one with an invoice."""
    found = {
        **_client(builder), **_money(builder), **_message(builder), **_organization(builder), **_automation(builder)
    }  # fmt: skip
    return {name: str(each) for name, each in found.items()}


def _client(builder: _Builder) -> dict[str, object]:
    from daysheet.clients.actions import add_billing_note, add_diagnosis, record_income
    from daysheet.clients.models import Coverage
    from daysheet.schedule.models import Visit
    from daysheet.services.actions import NewStep, add_income_scale, add_payer_rate, add_payer_rule, set_client_service

    owner, since = builder.owner, builder.practice.today - timedelta(days=400)
    payer = builder.insurer("Sweep Mutual")
    client = builder.client("Swan", "Sweep", insurer=payer, copay_cents=2000)
    set_client_service(owner, client, builder.talk, is_default=True)
    record_income(owner, client, income_cents=3_000_000, period="year", household_size=2, given_on=since)
    steps = [NewStep(None, 1, 0, 2000), NewStep(None, 1, 2_000_000, None), NewStep(builder.talk, 3, 0, 1000)]
    builder.visit("sweep", client, builder.talk, days_ago=2)
    builder.billed("sweep_billed", client, builder.talk, builder.letter, days_ago=9)
    visit = Visit.objects.get(pk=builder.practice.visits["sweep"])
    series = builder.series("sweep", [client], count=4, first=builder.practice.today - timedelta(days=540))
    return {
        "series": series,
        "occurrence": builder.practice.appointments["sweep_1"],
        "client": client,
        "payer": payer,
        "coverage": Coverage.objects.get(client_id=client).pk,
        "diagnosis": add_diagnosis(owner, client, code="F41.1", starts_on=since).pk,
        "rate": add_payer_rate(owner, payer, builder.talk, rate_cents=14000, starts_on=since).pk,
        "payer_rule": add_payer_rule(owner, payer, place_of_service="10", added_modifiers=["95"], starts_on=since).pk,
        "scale": add_income_scale(owner, starts_on=since, period="year", steps=steps).pk,
        "service_type": builder.talk,
        "appointment": visit.appointment_id,
        "visit": visit.pk,
        "billed_visit": builder.practice.visits["sweep_billed"],
        "note": add_billing_note(owner, client, text="Calls back in May").pk,
    }


def _money(builder: _Builder) -> dict[str, object]:
    from daysheet.documents.actions import make_documents
    from daysheet.documents.rendering import invoice_papers
    from daysheet.invoicing.batches import BatchRequest, start_batch
    from daysheet.invoicing.models import InvoiceLine
    from daysheet.ledger.models import Entry
    from daysheet.payments.actions import accept_payment
    from daysheet.payments.corrections import write_off
    from daysheet.payments.insurance import LinePosting, accept_insurance_payment
    from daysheet.schedule.models import VisitService

    owner, today = builder.owner, builder.practice.today
    billed = UUID(builder.practice.visits["sweep_billed"])
    line = InvoiceLine.objects.filter(visit_service__visit_id=billed).order_by("position")[0]
    paid = accept_payment(
        owner, request_key=uuid4(), client_id=line.client_id, amount_cents=9000, method="cash", received_on=today,
        applications={line.pk: 1000},
    )  # fmt: skip
    write_off(owner, request_key=uuid4(), line_id=line.pk, side="client", amount_cents=100, reason="Hardship")
    assert line.coverage
    cheque = accept_insurance_payment(
        owner, request_key=uuid4(), payer_id=line.coverage.payer_id, amount_cents=700, method="eft", received_on=today,
        postings={line.pk: LinePosting(200)}, expected_credit_cents=500,
    )  # fmt: skip
    batched = builder.client("Swen", "Sweep")
    builder.visit("sweep_batched", batched, builder.letter, days_ago=70)
    services = VisitService.objects.filter(visit_id=builder.practice.visits["sweep_batched"])
    day = today - timedelta(days=70)
    batch_id = start_batch(
        owner, batch_id=uuid4(), from_on=day, to_on=day, expected_count=1, expected_cents=4000,
        items=[BatchRequest(batched, tuple(services.values_list("pk", flat=True)))],
    )  # fmt: skip
    made_in = uuid4()
    papers = invoice_papers(owner, [line.invoice_id])
    return {
        "document": make_documents(owner, request_id=made_in, papers=papers)[0],
        "made_in": made_in,
        "estimate": _estimate(builder, line.client_id),
        "line": line.pk,
        "number": line.invoice.number,
        "entry": Entry.objects.get(debit_account="write_off", line_id=line.pk).pk,
        "payment": paid.payment_id,
        "insurer_payment": cheque.payment_id,
        "batch": batch_id,
    }


def _estimate(builder: _Builder, client: UUID) -> UUID:
    from daysheet.clients.actions import edit_client
    from daysheet.documents.estimates.actions import EstimateTerms, ExpectedService, give_estimate

    today = builder.practice.today
    edit_client(builder.owner, client, birth_on=today - timedelta(days=12000))
    carol = UUID(str(builder.practice.staff["carol"]))
    return give_estimate(
        builder.owner, client, estimate_id=uuid4(),
        terms=EstimateTerms(today, today + timedelta(days=90), "Talking", builder.location_id, recurrence="weekly"),
        services=[ExpectedService(builder.talk, carol, 12, 15000)],
    )  # fmt: skip


def _look(builder: _Builder) -> dict[str, object]:
    from daysheet.documents.actions import edit_document_settings, upload_logo
    from daysheet.documents.tests.pictures import picture

    edit_document_settings(builder.owner, pay_to="location", brand_colour="#1f4d3a", message="Thank you.")
    logo = uuid4()
    upload_logo(builder.owner, logo_id=logo, content=picture((300, 90)), alt="Alder Clinic")
    return {"logo": logo}


def _message(builder: _Builder) -> dict[str, object]:
    from daysheet.documents.papers import Kind
    from daysheet.documents.rules import Period
    from daysheet.mail.actions import Draft, Recipient, queue_messages
    from daysheet.mail.registry import TEST
    from daysheet.mailings.actions import MailingRequest, start_mailing
    from daysheet.mailings.rules import Ways

    client = builder.client("Sven", "Sweep")
    to = Recipient(client, "Sven Sweep", "sven@clients.example", client_id=client)
    sent = queue_messages(builder.owner, kind=TEST.name, run_id=uuid4(), drafts=[Draft(to, "Dear Sven,\n\nhello.")])
    mailing = start_mailing(
        builder.owner, mailing_id=uuid4(), expected_count=1, expected_cents=0, invoices={client: []},
        request=MailingRequest(Kind.STATEMENT, Period(builder.practice.today, builder.practice.today), Ways.PRINT),
    )  # fmt: skip
    return {"message": sent[client], "position": 1, "mailing": mailing}


def _organization(builder: _Builder) -> dict[str, object]:
    from daysheet.schedule.feeds import make_feed
    from daysheet.staff.actions import add_staff_member, invite_staff_member
    from daysheet.staff.models import CptLicense

    otto = replace(builder.owner, staff_member_id=UUID(builder.practice.staff["otto"]))  # carol stops her feed
    person = add_staff_member(builder.owner, first_name="Eve", last_name="New", email="eve@alder.example")
    sent = invite_staff_member(builder.owner, person.pk, link_for=lambda token: f"https://example.org/{token}")
    return {
        **_look(builder),
        "location": builder.location_id,
        "license": CptLicense.objects.get(staff_member_id=builder.practice.staff["carol"]).pk,
        "staff_member": person.pk,
        "token": sent.token,
        "feed": make_feed(otto),
    }


def _automation(builder: _Builder) -> dict[str, object]:
    """A night that left everything to people; automation is off again, so that no journey's dates are billed by it."""
    from dataclasses import replace

    from daysheet.automation.actions import Settings, add_exclusion, save_plan
    from daysheet.automation.nights import begin_night, finish_night

    owner, yesterday = builder.owner, builder.practice.today - timedelta(days=1)
    rule = add_exclusion(
        owner, exclusion_id=uuid4(), note="The office looks at everything first", for_invoices=True, for_claims=True,
        from_on=yesterday - timedelta(days=400),
    )  # fmt: skip
    settings = Settings(True, True, yesterday - timedelta(days=60), 60, "client", frozenset())
    plan = save_plan(replace(owner, now=owner.now - timedelta(days=1)), settings, seen_version=0)
    night = begin_night(replace(owner, now=owner.now + timedelta(days=1)))
    assert night is not None and night.batch_id is None
    finish_night(owner, night_id=night.pk)
    save_plan(owner, replace(settings, creates_invoices=False, queues_claims=False), seen_version=plan.version)
    return {"rule": rule.pk, "night": night.pk, "step": "client", "page": "automation", "picture": "agenda"}
