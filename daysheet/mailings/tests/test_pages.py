"""Batch Statements, Process Existing Invoices, a run's page and E-mail, over HTTP: ticks that survive paging, the exact
promise, and the run that comes of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from django.test import Client as Browser

from daysheet.clients.actions import assign_staff
from daysheet.clients.models import Client
from daysheet.documents.models import MadeDocument
from daysheet.invoicing.actions import void_invoice
from daysheet.invoicing.models import Invoice
from daysheet.jobs.models import LIVE_STATES, JobRun
from daysheet.mail.models import Message
from daysheet.mailings import selection
from daysheet.mailings.actions import remake_file
from daysheet.mailings.files import remove_file
from daysheet.mailings.models import Mailing, MailingFile, MailingItem
from daysheet.mailings.views import searching
from daysheet.payments.actions import accept_payment
from daysheet.practices.permissions import Permission
from daysheet.staff.actions import edit_staff_member
from tests.mail_server import MailServer
from tests.people import NOW, Person
from tests.post import Post, read_messages, read_pages

from .conftest import carry_out, deliver

SignIn = Callable[[Person], Browser]
STATEMENTS = "/alder/billing/batch-statements/?from_on=2026-10-01&to_on=2026-11-16&at_least=0.01"
EXISTING = "/alder/billing/batch-invoicing/existing/"


@pytest.fixture
def bob(post: Post, sign_in: SignIn) -> Browser:
    return sign_in(post.clinic.cast.bob)


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the page's main form."""
    found = re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', page)
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def ticked(page: str) -> list[str]:
    return re.findall(r'name="row" value="([0-9a-f-]+)"[^>]*? checked', page)


def chosen(page: str, **more: str) -> dict[str, object]:
    """What the browser sends of a list."""
    return {**hidden(page), "row": ticked(page), **more}


def confirmed(page: str, **more: str) -> dict[str, str]:
    """What the browser sends of the page that asks for the yes."""
    mailing_id = re.search(r'name="mailing_id" value="([0-9a-f-]+)"', page)
    text = re.search(r"<textarea[^>]*>\s*(.*?)</textarea>", page, re.S)
    ways = re.search(r'<option value="(\w+)" selected', page)
    assert mailing_id and ways
    return {
        **hidden(page), "mailing_id": mailing_id[1], "ways": ways[1], "confirmed": "yes",
        **({"email_text": text[1]} if text else {}), **more,
    }  # fmt: skip


def last_run() -> UUID:
    found: UUID = Mailing.objects.order_by("pk").values_list("pk", flat=True).last()  # type: ignore[assignment]
    return found


def test_from_search_to_e_mails_and_a_file(post: Post, bob: Browser, smtp: MailServer) -> None:
    post.bill(4, without_address=[3], on_paper=[4])
    assert "Search first" in bob.get("/alder/billing/batch-statements/").content.decode()
    page = bob.get(STATEMENTS).content.decode()
    assert "<b>4</b> clients, <b>$400.10</b> due" in page
    assert "no e-mail address" in page and "wants paper" in page and len(ticked(page)) == 4
    ask = bob.post(STATEMENTS, chosen(page, choose="preferred")).content.decode()
    assert "2 to print, 2 by e-mail" in ask and "Your statement" in ask and "Dear Ana Owes00001," in ask
    assert not Mailing.objects.exists()
    answer = bob.post(STATEMENTS, confirmed(ask, email_text="Please pay.\nThank you"))
    assert answer.status_code == 303
    again = bob.post(STATEMENTS, confirmed(ask))
    assert again["Location"] == answer["Location"] and Mailing.objects.count() == 1
    assert "Making documents" in bob.get(answer["Location"]).content.decode()
    carry_out(post, last_run())
    assert "Sending" in bob.get(answer["Location"]).content.decode()
    deliver(post)
    assert read_messages(smtp.messages) == {1: 1, 2: 1}
    assert "Please pay." in str(smtp.messages[0].get_body(("plain",)))
    result = bob.get(answer["Location"]).content.decode()
    assert "Open the PDF, 2 pages" in result
    file = bob.get(answer["Location"] + "file/")
    assert read_pages(b"".join(file.streaming_content)) == [3, 4]
    assert file["Content-Disposition"] == 'inline; filename="statements-2026-11-16.pdf"'
    assert file["Cache-Control"] == "no-store"
    history = bob.get("/alder/billing/batch-statements/history/").content.decode()
    assert "Finished" in history and answer["Location"] in history


def test_ticks_survive_paging_and_select_none(post: Post, bob: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (selection, searching):
        monkeypatch.setattr(module, "ROWS_PER_PAGE", 2)
    post.bill(5)
    page = bob.get(STATEMENTS).content.decode()
    one = str(post.debtors[1].client_id)
    sent = {**hidden(page), "row": [each for each in ticked(page) if each != one], "go": "2"}
    second = bob.post(STATEMENTS, sent).content.decode()
    assert "3–4 of 5" in second and "all on other pages but 1" in second
    third = bob.post(STATEMENTS, chosen(second, go="3")).content.decode()
    ask = bob.post(STATEMENTS, chosen(third, choose="print")).content.decode()
    assert "4 to print, 0 by e-mail" in ask
    back = bob.post(STATEMENTS, {**hidden(ask), "go": "1"}).content.decode()
    assert len(ticked(back)) == 1
    none = bob.post(STATEMENTS, chosen(back, select="none")).content.decode()
    assert ticked(none) == [] and "0 on other pages" in none
    refused = bob.post(STATEMENTS, chosen(none, choose="print"))
    assert refused.status_code == 422 and "Nothing is ticked" in refused.content.decode()
    bob.post(STATEMENTS, confirmed(ask))
    assert set(MailingItem.objects.values_list("client__last_name", flat=True)) == {f"Owes0000{n}" for n in "2345"}


def test_a_yes_to_other_numbers_is_asked_again(post: Post, bob: Browser) -> None:
    post.bill(2)
    ask = bob.post(STATEMENTS, chosen(bob.get(STATEMENTS).content.decode(), choose="print")).content.decode()
    accept_payment(
        post.biller, request_key=post.debtors[1].client_id, client_id=post.debtors[1].client_id, amount_cents=5000,
        method="cash", received_on=post.biller.today,
    )  # fmt: skip
    page = bob.post(STATEMENTS, confirmed(ask)).content.decode()
    assert "Something changed since you looked" in page and "$150.03" in page
    assert not Mailing.objects.exists()
    assert bob.post(STATEMENTS, confirmed(page)).status_code == 303


def test_who_is_left_out_is_named_before_the_yes(post: Post, bob: Browser) -> None:
    post.bill(3, without_address=[1], on_paper=[2])
    ask = bob.post(STATEMENTS, chosen(bob.get(STATEMENTS).content.decode(), choose="email")).content.decode()
    assert "0 to print, 1 by e-mail" in ask
    assert "No e-mail address is on record." in ask and "Wants paper, not e-mail." in ask
    other = bob.post(STATEMENTS, {**confirmed(ask, ways="print"), "confirmed": "", "update": "1"}).content.decode()
    assert "3 to print, 0 by e-mail" in other
    wrong = bob.post(STATEMENTS, confirmed(ask, ways="pigeon"))
    assert wrong.status_code == 422 and not Mailing.objects.exists()


def test_statements_can_be_searched_by_what_is_owed_name_and_activity(post: Post, bob: Browser) -> None:
    post.bill(3)
    Client.objects.filter(pk=post.debtors[2].client_id).update(pays_by="insurance")
    for more, names in (
        ("&at_least=100.02", {2, 3}), ("&client=owes00003", {3}), ("&pays_by=insurance", {2}),
        ("&at_least=500", set()), ("&who=active&at_least=500", {1, 2, 3}),
    ):  # fmt: skip
        address = STATEMENTS.replace("&at_least=0.01", "") + more
        page = bob.get(address).content.decode()
        assert set(map(int, re.findall(r'aria-label="Owes(\d+), Ana"', page))) == names, more
    assert bob.get(STATEMENTS.replace("2026-11-16", "2026-09-16")).status_code == 422


def test_existing_invoices_are_printed_e_mailed_and_claimed(post: Post, bob: Browser, smtp: MailServer) -> None:
    post.bill(3)
    void_invoice(post.biller, invoice_id=Invoice.objects.get(number=2).pk, reason="Mistake")
    page = bob.get(EXISTING).content.decode()
    assert len(ticked(page)) == 2 and "Void" in page
    assert len(ticked(bob.get(EXISTING + "?status=open").content.decode())) == 2
    assert "No invoice was created" in bob.get(EXISTING + "?status=paid").content.decode()
    assert "No invoice was created" in bob.get(EXISTING + "?from_on=2026-10-01&to_on=2026-10-31").content.decode()
    assert bob.get(EXISTING + "?from_on=x&to_on=y").status_code == 422
    ask = bob.post(EXISTING, chosen(page, choose="email")).content.decode()
    assert "Invoices for 2 clients" in ask and "Your invoice" in ask
    bob.post(EXISTING, confirmed(ask))
    carry_out(post, last_run())
    deliver(post)
    assert read_messages(smtp.messages) == {1: 1, 3: 1}
    ask = bob.post(EXISTING, chosen(page, choose="superbill")).content.decode()
    assert "Superbills for 2 clients" in ask
    bob.post(EXISTING, confirmed(ask))
    assert Mailing.objects.get(pk=last_run()).kind == "superbill"
    assert "Superbills," in bob.get(EXISTING + "history/").content.decode()


def test_the_invoices_of_a_batch_are_found_from_its_page(post: Post, bob: Browser) -> None:
    post.bill(2)
    batch = Invoice.objects.values_list("batch_id", flat=True)[0]
    post.bill(1)
    run = bob.get(f"/alder/billing/batch-invoicing/{batch}/").content.decode()
    link = f"{EXISTING}?batch={batch}"
    assert f'href="{link}"' in run
    page = bob.get(link + "&from_on=2020-01-01&to_on=2020-01-02").content.decode()
    assert len(ticked(page)) == 2 and "The invoices of one batch." in page


def test_one_document_is_seen_as_it_will_be_sent(post: Post, bob: Browser, smtp: MailServer) -> None:
    post.bill(1)
    client = post.debtors[1].client_id
    made = bob.post("/alder/invoices/1/print/", {"request_id": str(client), "then": "email"})
    document = MadeDocument.objects.get()
    assert made["Location"] == f"/alder/documents/{document.pk}/e-mail/"
    page = bob.get(made["Location"]).content.decode()
    for words in ("owes00001@clients.example", "Your invoice", "Dear Ana Owes00001,", "invoice.pdf", "$100.01"):
        assert words in page
    request_id = re.search(r'name="request_id" value="([0-9a-f-]+)"', page)
    assert request_id
    sent = {"request_id": request_id[1], "email_text": "See you."}
    assert "See you." in bob.post(made["Location"], {**sent, "update": "1"}).content.decode()
    assert not Message.objects.exists()
    empty = bob.post(made["Location"], {**sent, "email_text": " "})
    assert empty.status_code == 422
    for _ in range(2):
        answer = bob.post(made["Location"], sent)
    assert answer["Location"] == f"/alder/billing/delivery-log/{Message.objects.get().pk}/"
    deliver(post)
    assert read_messages(smtp.messages) == {1: 1}
    Client.objects.update(email="")
    page = bob.get(made["Location"]).content.decode()
    assert "There is no e-mail address on record" in page and "Send E-mail" not in page


def test_sending_is_stopped_after_a_yes_and_failed_ones_are_sent_again(
    post: Post, bob: Browser, smtp: MailServer
) -> None:
    post.bill(3)
    ask = bob.post(STATEMENTS, chosen(bob.get(STATEMENTS).content.decode(), choose="email")).content.decode()
    run = bob.post(STATEMENTS, confirmed(ask))["Location"]
    carry_out(post, last_run())
    asked = bob.post(run + "stop-sending/").content.decode()
    assert "3 e-mails that have not been sent are withdrawn" in asked
    smtp.at_recipient["owes00001@clients.example"] = ["550 No such user"]
    deliver(post)
    page = bob.get(run).content.decode()
    assert "Send failed ones again" in page
    bob.post(run + "send-failed-again/")
    bob.post(run + "stop-sending/", {"confirmed": "yes"})
    deliver(post)
    assert read_messages(smtp.messages) == {2: 1, 3: 1}
    assert "Withdrawn" in bob.get(run).content.decode()


def test_the_pages_ask_the_same_number_of_questions_for_many(
    post: Post, bob: Browser, django_assert_max_num_queries: Callable[..., object]
) -> None:
    post.bill(60)
    for address in (STATEMENTS, EXISTING):
        bob.get(address)
        with django_assert_max_num_queries(22):  # type: ignore[attr-defined]
            assert "Owes00001" in bob.get(address).content.decode() or address == EXISTING


def test_a_second_form_for_the_same_days_says_who_began_a_run_and_asks_for_a_tick(post: Post, bob: Browser) -> None:
    post.bill(3)
    page = bob.get(STATEMENTS).text
    first, second = (bob.post(STATEMENTS, chosen(page, choose="print")).text for _ in range(2))
    assert "Send it to them again" not in first + second
    run = bob.post(STATEMENTS, confirmed(first))["Location"]
    told = bob.post(STATEMENTS, confirmed(second))
    assert told.status_code == 422 and Mailing.objects.count() == 1
    assert "Nothing was started yet." in told.text and f'href="{run}"' in told.text
    assert "Bob Biller began statements for all of these clients on 11/16/2026 10:00 AM; that run is still" in told.text
    carry_out(post, last_run())
    opened_later = bob.post(STATEMENTS, chosen(page, choose="print")).text
    assert "began statements for all" in opened_later and "still at work" not in opened_later
    assert bob.post(STATEMENTS, confirmed(opened_later)).status_code == 422
    agreed = confirmed(opened_later, again="on")
    assert [bob.post(STATEMENTS, agreed).status_code for _ in range(2)] == [303, 303]
    assert Mailing.objects.count() == 2


def test_a_tick_is_for_the_runs_that_were_told_and_no_later_one(post: Post, bob: Browser) -> None:
    post.bill(2)
    page = bob.get(STATEMENTS).text
    bob.post(STATEMENTS, confirmed(bob.post(STATEMENTS, chosen(page, choose="print")).text))
    one, other = (confirmed(bob.post(STATEMENTS, chosen(page, choose="print")).text, again="on") for _ in range(2))
    assert bob.post(STATEMENTS, other).status_code == 303
    told = bob.post(STATEMENTS, one)
    assert told.status_code == 422 and told.text.count("began statements for all of these clients") == 2
    assert Mailing.objects.count() == 2
    assert bob.post(STATEMENTS, confirmed(told.text, again="on")).status_code == 303


def test_an_old_run_whose_file_is_made_again_is_not_one_of_today(post: Post, sign_in: SignIn) -> None:
    bob = sign_in(post.clinic.cast.bob)
    post.bill(2)
    page = bob.get(STATEMENTS).text
    bob.post(STATEMENTS, confirmed(bob.post(STATEMENTS, chosen(page, choose="print")).text))
    run = last_run()
    carry_out(post, run)
    with time_machine.travel(NOW + timedelta(days=60), tick=False):
        remove_file(post.biller.practice.id, MailingFile.objects.get().key)
        remake_file(replace(post.biller, now=NOW + timedelta(days=60)), mailing_id=Mailing.objects.get().pk)
        assert JobRun.objects.filter(state__in=LIVE_STATES).exists()
        later = sign_in(post.clinic.cast.bob).post(STATEMENTS, chosen(page, choose="print"))
        assert later.status_code == 200 and "Send it to them again" not in later.text


def test_only_the_same_people_kind_days_and_invoices_of_the_last_day_are_warned_of(post: Post, sign_in: SignIn) -> None:
    bob = sign_in(post.clinic.cast.bob)
    post.bill(2)
    page = bob.get(STATEMENTS).text
    one = [str(post.debtors[1].client_id)]
    bob.post(STATEMENTS, confirmed(bob.post(STATEMENTS, chosen(page, choose="print", row=one)).text))  # type: ignore[arg-type]

    def warned(address: str, **more: object) -> bool:
        listed = bob.get(address).text
        return "Send it to them again" in bob.post(address, {**chosen(listed, choose="print"), **more}).text

    assert warned(STATEMENTS, row=one) and warned(STATEMENTS)
    assert "for 1 of these clients" in bob.post(STATEMENTS, chosen(page, choose="print")).text
    assert not warned(STATEMENTS, row=[str(post.debtors[2].client_id)])
    assert not warned(EXISTING)
    assert not warned(STATEMENTS.replace("2026-10-01", "2026-01-01").replace("2026-11-16", "2026-09-30"))
    with time_machine.travel(NOW + timedelta(days=2), tick=False):
        bob = sign_in(post.clinic.cast.bob)  # nobody stays signed in for two days
        assert warned(STATEMENTS), "it is still at work"
        carry_out(post, last_run())
        assert not warned(STATEMENTS)
    bob = sign_in(post.clinic.cast.bob)
    ask = bob.post(EXISTING, chosen(bob.get(EXISTING).text, choose="print")).text
    assert bob.post(EXISTING, confirmed(ask)).status_code == 303
    assert warned(EXISTING) and not warned(EXISTING, choose="superbill")


def test_who_may_not_open_the_other_run_is_warned_without_a_link(post: Post, bob: Browser, sign_in: SignIn) -> None:
    post.bill(2)
    page = bob.get(STATEMENTS).text
    run = bob.post(STATEMENTS, confirmed(bob.post(STATEMENTS, chosen(page, choose="print")).text))["Location"]
    cast = post.clinic.cast
    alice = cast.actor(cast.alice)
    edit_staff_member(alice, cast.carol.staff_member_id, permissions=[Permission.BILLING], limited_to_assigned=True)
    assign_staff(alice, post.debtors[1].client_id, cast.carol.staff_member_id)
    carol = sign_in(cast.carol)
    told = carol.post(STATEMENTS, chosen(carol.get(STATEMENTS).text, choose="print")).text
    assert "Bob Biller began statements for this client on" in told and run not in told
