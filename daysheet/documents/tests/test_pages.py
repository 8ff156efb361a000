"""The pages of documents over HTTP: shown, made once, kept as they were, refused with words."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.urls import reverse

from daysheet.audit.models import AuditEvent
from daysheet.clients.models import Client
from daysheet.documents.actions import edit_document_settings
from daysheet.documents.contents import content_of, paper_from, sha256_of
from daysheet.documents.models import DocumentSettings, Logo, MadeDocument
from daysheet.documents.queries.made import made_document
from daysheet.documents.rendering import Period, StatementChoices, render_pdf, statement_papers
from daysheet.invoicing.models import Invoice
from daysheet.kit.money import Money
from daysheet.ledger.queries import client_balances
from daysheet.payments.models import Payment
from daysheet.practices.models import Location
from daysheet.reports.tests.conftest import TODAY, SignIn, Week, keep_as_credit

from .pictures import picture
from .reading import assert_accessible, page_texts

YEAR = {"from_on": "2026-01-01", "to_on": "2026-11-16"}


def at(name: str, **ids: object) -> str:
    return reverse(f"documents:{name}", kwargs={"practice": "alder", **ids})


def test_a_statement_is_shown_with_the_ledgers_figures_then_made_and_kept(week: Week, bob: Browser) -> None:
    url = at("statement", client=week.long)
    shown = bob.get(url, YEAR)
    due = str(Money(client_balances(week.biller, week.long).balance_cents))
    assert f"Amount due:</span> <b>{due}</b>" in shown.content.decode()
    made = bob.post(f"{url}?from_on=2026-01-01&to_on=2026-11-16", {"request_id": str(uuid4())})
    document = MadeDocument.objects.get()
    assert (made.status_code, made["Location"]) == (303, at("document_pdf", document=document.pk))
    assert (document.kind, document.first_on, document.last_on) == ("statement", date(2026, 1, 1), TODAY)
    file = bob.get(made["Location"])
    assert (file["Content-Type"], file["Cache-Control"]) == ("application/pdf", "no-store")
    assert file["Content-Disposition"] == 'inline; filename="statement-2026-11-16.pdf"', "a file name names nobody"
    assert_accessible(file.content)
    assert due in page_texts(file.content)[0]
    listed = bob.get(at("client_documents", client=week.long)).content.decode()
    assert document.sha256[:8] in listed and at("document", document=document.pk) in listed
    event = AuditEvent.objects.get(verb="make_document")
    assert (event.client_id, event.actor_name) == (week.long, "Bob Biller")


def test_the_same_request_makes_one_document_and_another_kind_is_refused(week: Week, bob: Browser) -> None:
    form = {"request_id": str(uuid4())}
    first = bob.post(at("statement", client=week.long), form)
    again = bob.post(at("statement", client=week.long), form)
    assert first["Location"] == again["Location"]
    other = bob.post(at("receipts", client=week.long), form)
    assert other.status_code == 409 and "Nothing was made" in other.content.decode()
    assert MadeDocument.objects.count() == 1


def test_what_was_made_stays_what_it_was(week: Week, bob: Browser) -> None:
    bob.post(at("statement", client=week.long), {"request_id": str(uuid4())})
    document = MadeDocument.objects.get()
    before = bob.get(at("document_pdf", document=document.pk)).content
    Client.objects.filter(pk=week.long).update(last_name="Renamed")
    assert bob.get(at("document_pdf", document=document.pk)).content == before
    page = bob.get(at("document", document=document.pk)).content.decode()
    assert "Ana Long" in page and "Renamed" not in page and document.sha256 in page
    _, paper = made_document(week.biller, document.pk)
    assert render_pdf([paper]).pdf == before


def test_the_content_that_is_kept_is_the_paper(week: Week) -> None:
    (paper,) = statement_papers(week.biller, [week.ruiz], StatementChoices(Period(date(2026, 1, 1), TODAY)))
    assert paper_from(content_of(paper), None) == paper
    assert sha256_of(content_of(paper)) == sha256_of(dict(reversed(content_of(paper).items())))


def test_several_receipts_make_one_file(week: Week, bob: Browser) -> None:
    keep_as_credit(week.biller, week.long, 700, TODAY)
    made = bob.post(
        f"{at('receipts', client=week.long)}?from_on=2026-01-01&to_on=2026-11-16", {"request_id": str(uuid4())}
    )
    assert MadeDocument.objects.filter(kind="receipt").count() == 2
    texts = page_texts(bob.get(made["Location"]).content)
    assert len(texts) == 2 and "$60.00" in texts[0] and "$7.00" in texts[1]
    assert bob.get(made["Location"].replace("pdf/", "")).status_code == 200


def test_an_invoice_prints_its_amount_due_and_not_what_is_the_practices_own(week: Week, bob: Browser) -> None:
    number = Invoice.objects.get(client_id=week.ruiz).number
    page = bob.get(at("print_invoice", number=number)).content.decode()
    assert "Amount due from you" in page and "Waiting for insurance" in page
    assert "Entries behind it" not in page and "Rate from" not in page
    made = bob.post(at("print_invoice", number=number), {"request_id": str(uuid4())})
    assert "$25.00" in page_texts(bob.get(made["Location"]).content)[0]
    assert bob.get(at("invoice_superbill", number=number)).status_code == 200


def test_an_insurers_payment_has_no_receipt(week: Week, bob: Browser) -> None:
    insurers = Payment.objects.get(payer_id=week.payer)
    assert bob.get(at("receipt", payment=insurers.pk)).status_code == 404
    own = Payment.objects.get(client_id=week.ruiz)
    assert "Kept as your credit" in bob.get(at("receipt", payment=own.pk)).content.decode()


def test_days_that_are_none_and_periods_without_anything_are_refused_with_words(week: Week, bob: Browser) -> None:
    wrong = bob.get(at("statement", client=week.long), {"from_on": "soon", "to_on": "2026-11-16"})
    assert wrong.status_code == 422 and "is not a date" in wrong.content.decode()
    backwards = bob.get(at("superbill", client=week.long), {"from_on": "2026-11-16", "to_on": "2026-11-01"})
    assert backwards.status_code == 422 and "ends before it begins" in backwards.content.decode()
    old = {"from_on": "2020-01-01", "to_on": "2020-01-31"}
    assert "No payment was received" in bob.get(at("receipts", client=week.long), old).content.decode()
    refused = bob.post(
        f"{at('receipts', client=week.long)}?from_on=2020-01-01&to_on=2020-01-31", {"request_id": str(uuid4())}
    )
    assert refused.status_code == 422 and MadeDocument.objects.count() == 0
    assert bob.post(at("statement", client=week.long), {"request_id": "x"}).status_code == 422


def test_nobody_else_reaches_a_document(week: Week, bob: Browser, sign_in: SignIn) -> None:
    bob.post(at("statement", client=week.long), {"request_id": str(uuid4())})
    document = MadeDocument.objects.get()
    addresses = [
        at("document", document=document.pk), at("document_pdf", document=document.pk),
        at("made_together", made_in=document.made_in), at("made_together_pdf", made_in=document.made_in),
    ]  # fmt: skip
    charlie, dan = sign_in(week.clinic.cast.charlie), sign_in(week.clinic.cast.dan)
    for address in addresses:
        assert charlie.get(address.replace("/alder/", "/birch/")).status_code == 404
        assert dan.get(address).status_code == 403


def test_a_logo_is_printed_and_older_documents_keep_theirs(week: Week, bob: Browser, sign_in: SignIn) -> None:
    alice = sign_in(week.clinic.cast.alice)
    sent = {"logo_id": str(uuid4()), "alt": "Alder Clinic", "picture": SimpleUploadedFile("l.png", picture((300, 90)))}
    assert alice.post(at("upload_logo"), sent).status_code == 303
    bob.post(at("statement", client=week.long), {"request_id": str(uuid4())})
    document = MadeDocument.objects.get()
    with_logo = bob.get(at("document_pdf", document=document.pk)).content
    assert_accessible(with_logo)
    assert b"/Figure" in with_logo and b"Alder Clinic" in with_logo
    logo = Logo.objects.get()
    shown = bob.get(at("logo", logo=logo.pk))
    assert (shown["Content-Type"], shown.content[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert alice.post(at("remove_logo", logo=logo.pk)).status_code == 303
    assert bob.get(at("document_pdf", document=document.pk)).content == with_logo
    assert "paper-logo" not in bob.get(at("statement", client=week.long)).content.decode()


def test_what_is_no_logo_and_what_cannot_be_read_is_refused(week: Week, sign_in: SignIn) -> None:
    alice = sign_in(week.clinic.cast.alice)
    sent = {"logo_id": str(uuid4()), "alt": "x", "picture": SimpleUploadedFile("l.png", b"<svg onload=alert(1)>")}
    refused = alice.post(at("upload_logo"), sent)
    assert refused.status_code == 422 and "no PNG or JPEG" in refused.content.decode()
    assert Logo.objects.count() == 0
    light = {"pay_to": "practice", "brand_colour": "#ffcc00", "message": ""}
    refused = alice.post(at("look"), light)
    assert refused.status_code == 422 and "too light" in refused.content.decode()
    assert alice.post(at("look"), light | {"brand_colour": "#7A1F1F"}).status_code == 303
    assert DocumentSettings.objects.get().brand_colour == "#7a1f1f"
    assert "#7a1f1f" in alice.get(reverse("practices:settings", kwargs={"practice": "alder"})).content.decode()


def test_the_pay_to_address_is_the_locations_where_set_and_says_so(week: Week, sign_in: SignIn) -> None:
    paper = _statement(week)
    assert paper.letterhead.pay_to_source == "Pay-to address: the practice’s"
    edit_document_settings(week.clinic.owner, pay_to="location", brand_colour="#1f4d3a", message="Thank you")
    assert _statement(week).letterhead.pay_to_source == "Pay-to address: the practice’s", "the location has none"
    Location.objects.update(address_1="9 Side St", city="Troy", state="NY", postal_code="12180")
    head = _statement(week).letterhead
    assert head.pay_to_source == "Pay-to address: that of our location Main"
    assert head.lines[:2] == ("9 Side St", "Troy, NY 12180")


def test_documents_show_the_legal_or_the_preferred_name_as_set(week: Week) -> None:
    Client.objects.filter(pk=week.long).update(preferred_name="Annie")
    assert _statement(week).addressee[0] == "Ana Long"
    Client.objects.filter(pk=week.long).update(print_preferred_name=True)
    assert _statement(week).addressee[0] == "Annie Long"


def _statement(week: Week, client: UUID | None = None):  # type: ignore[no-untyped-def]
    choices = StatementChoices(Period(date(2026, 1, 1), TODAY))
    return statement_papers(week.biller, [client or week.long], choices)[0]
