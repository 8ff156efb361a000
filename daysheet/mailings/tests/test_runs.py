"""A run: who gets what which way, once; killed and run again; its file; what is looked at again in the moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from daysheet.clients.models import Client, ClientAssignment
from daysheet.documents.models import MadeDocument
from daysheet.documents.papers import Kind
from daysheet.documents.rules import Period
from daysheet.invoicing.actions import bill_visit, void_invoice
from daysheet.invoicing.models import Invoice
from daysheet.jobs.models import JobRun
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.mail.models import Message
from daysheet.mailings import running
from daysheet.mailings.actions import (
    MailingEmpty,
    MailingRequest,
    MailingStillRunning,
    continue_mailing,
    email_documents,
    remake_file,
    start_mailing,
    stop_sending,
)
from daysheet.mailings.files import KEPT_FOR, file_path
from daysheet.mailings.jobs import remove_old_files
from daysheet.mailings.models import Mailing, MailingFile, MailingItem
from daysheet.mailings.queries.access import get_mailing
from daysheet.mailings.queries.files import open_file
from daysheet.mailings.queries.runs import run_result, run_summary
from daysheet.mailings.rules import Ways
from daysheet.mailings.running import CLIENTS_PER_PIECE
from daysheet.payments.actions import accept_payment
from daysheet.staff.models import StaffMember
from tests.mail_server import MailServer
from tests.people import NOW
from tests.post import Post, read_messages, read_pages

from .conftest import carry_out, deliver

SIXTY = 2 * CLIENTS_PER_PIECE + 10


def _pdf(post: Post, mailing_id: Any) -> bytes:
    opened = open_file(post.biller, mailing_id)
    assert opened is not None
    with opened[1] as file:
        return file.read()


def _outcomes(mailing_id: Any) -> dict[str, str]:
    """{last name: way, or code of why not}."""
    items = MailingItem.objects.filter(mailing_id=mailing_id).select_related("client").order_by("position")
    return {item.client.last_name: item.code or item.way for item in items}


def test_statements_as_one_pdf_are_of_the_right_clients_in_the_order_of_names(post: Post) -> None:
    post.bill(SIXTY)
    mailing_id = post.start_statements(Ways.PRINT)
    carry_out(post, mailing_id)
    assert read_pages(_pdf(post, mailing_id)) == sorted(post.debtors)
    summary, result = run_summary(post.biller, mailing_id), run_result(post.biller, mailing_id)
    assert (summary.printed_count, summary.skipped_count, summary.mails.total) == (SIXTY, 0, 0)
    assert result.file and result.file.page_count == SIXTY == result.document_count
    assert not Message.objects.exists()


def test_statements_by_email_reach_each_client_once(post: Post, smtp: MailServer) -> None:
    post.bill(SIXTY)
    mailing_id = post.start_statements(Ways.EMAIL)
    carry_out(post, mailing_id)
    carry_out(post, mailing_id)
    deliver(post)
    deliver(post)
    assert read_messages(smtp.messages) == dict.fromkeys(post.debtors, 1)
    assert run_summary(post.biller, mailing_id).mails.sent == SIXTY
    assert not MailingFile.objects.exists()


def test_each_client_gets_it_the_preferred_way(post: Post, smtp: MailServer) -> None:
    post.bill(4, without_address=[2], on_paper=[3])
    preferred = post.start_statements(Ways.PREFERRED)
    carry_out(post, preferred)
    deliver(post)
    assert read_messages(smtp.messages) == {1: 1, 4: 1}
    assert read_pages(_pdf(post, preferred)) == [2, 3]
    by_email = post.start_statements(Ways.EMAIL)
    carry_out(post, by_email)
    assert _outcomes(by_email) == {
        "Owes00001": "email", "Owes00002": "no_address", "Owes00003": "prefers_paper", "Owes00004": "email",
    }  # fmt: skip
    assert [row.words for row in run_result(post.biller, by_email).skipped] == [
        "No e-mail address is on record.", "Wants paper, not e-mail.",
    ]  # fmt: skip


def test_everything_is_looked_at_again_in_the_moment(post: Post, smtp: MailServer) -> None:
    post.bill(3)
    mailing_id = post.start_statements(Ways.EMAIL)
    one, two = post.debtors[1], post.debtors[2]
    accept_payment(
        post.biller, request_key=uuid4(), client_id=one.client_id, amount_cents=one.cents, method="cash",
        received_on=post.biller.today,
    )  # fmt: skip
    Client.objects.filter(pk=two.client_id).update(email="")
    carry_out(post, mailing_id)
    assert _outcomes(mailing_id) == {"Owes00001": "owes_less", "Owes00002": "no_address", "Owes00003": "email"}


def test_a_killed_run_goes_on_and_nobody_is_made_twice(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kill itself is in tests/invariants/test_killed_mail.py."""
    post.bill(SIXTY)
    mailing_id = post.start_statements(Ways.PRINT)
    keep, calls = running.keep_made, []

    def killed(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return keep(*args, **kwargs)

    monkeypatch.setattr(running, "keep_made", killed)
    with pytest.raises(KeyboardInterrupt):
        carry_out(post, mailing_id)
    assert MadeDocument.objects.count() == CLIENTS_PER_PIECE
    carry_out(post, mailing_id)
    assert read_pages(_pdf(post, mailing_id)) == sorted(post.debtors)
    assert MadeDocument.objects.count() == SIXTY


def test_a_run_killed_while_its_file_is_put_together_leaves_no_half_file(
    post: Post, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    post.bill(3)
    mailing_id = post.start_statements(Ways.PRINT)
    write = running.write_pdf

    def killed(papers: Any, file: Any) -> Any:
        file.write(b"%PDF half")
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "write_pdf", killed)
    with pytest.raises(KeyboardInterrupt):
        carry_out(post, mailing_id)
    assert not MailingFile.objects.exists() and not list(tmp_path.rglob("*.pdf"))
    monkeypatch.setattr(running, "write_pdf", write)
    carry_out(post, mailing_id)
    carry_out(post, mailing_id)
    assert len(list(tmp_path.rglob("*.pdf"))) == 1 and MailingFile.objects.count() == 1


def test_one_client_who_cannot_be_made_does_not_stop_the_others(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    post.bill(4)
    mailing_id = post.start_statements(Ways.PRINT)
    papers = running.statement_papers

    def failing(actor: Any, client_ids: Any, choices: Any) -> Any:
        if post.debtors[2].client_id in client_ids:
            raise ValueError("Ana Owes00002 has no figures")
        return papers(actor, client_ids, choices)

    monkeypatch.setattr(running, "statement_papers", failing)
    carry_out(post, mailing_id)
    assert read_pages(_pdf(post, mailing_id)) == [1, 3, 4]
    assert _outcomes(mailing_id)["Owes00002"] == "unexpected"


def test_invoices_of_a_client_go_out_together_and_void_ones_do_not(post: Post, smtp: MailServer) -> None:
    post.bill(3)
    numbers = {invoice.client_id: invoice for invoice in Invoice.objects.all()}
    mailing_id = start_mailing(
        post.biller, mailing_id=uuid4(),
        request=MailingRequest(Kind.INVOICE, Period(NOW.date(), NOW.date()), Ways.EMAIL),
        invoices={pk: [invoice.pk] for pk, invoice in numbers.items()}, expected_count=3, expected_cents=0,
    )  # fmt: skip
    void_invoice(post.biller, invoice_id=numbers[post.debtors[1].client_id].pk, reason="Mistake")
    carry_out(post, mailing_id)
    deliver(post)
    assert read_messages(smtp.messages) == {2: 1, 3: 1}
    assert {str(message["Subject"]) for message in smtp.messages} == {"Your invoice"}
    assert _outcomes(mailing_id)["Owes00001"] == "void"


def test_superbills_are_of_coded_lines_only(post: Post) -> None:
    post.bill(1)
    coded = post.clinic.client("Coded")
    bill_visit(post.biller, visit_id=post.clinic.visit(coded, post.clinic.talk)[0])
    by_client = {invoice.client_id: [invoice.pk] for invoice in Invoice.objects.all()}
    mailing_id = start_mailing(
        post.biller, mailing_id=uuid4(),
        request=MailingRequest(Kind.SUPERBILL, Period(NOW.date(), NOW.date()), Ways.PRINT), invoices=by_client,
        expected_count=2, expected_cents=0,
    )  # fmt: skip
    carry_out(post, mailing_id)
    assert _outcomes(mailing_id) == {"Coded": "print", "Owes00001": "nothing_coded"}
    assert MadeDocument.objects.get().kind == "superbill"


def test_the_same_form_twice_is_one_run(post: Post) -> None:
    post.bill(2)
    request = MailingRequest(Kind.STATEMENT, Period(post.day, post.day), Ways.PRINT)
    invoices = {debtor.client_id: [] for debtor in post.debtors.values()}
    mailing_id = uuid4()
    for _ in range(2):
        start_mailing(
            post.biller, mailing_id=mailing_id, request=request, invoices=invoices, expected_count=2, expected_cents=0
        )
    assert MailingItem.objects.count() == 2 and JobRun.objects.filter(subject_id=mailing_id).count() == 1
    with pytest.raises(MailingEmpty):
        start_mailing(post.biller, mailing_id=uuid4(), request=request, invoices={}, expected_count=0, expected_cents=0)


def test_a_stopped_run_is_continued_once_and_a_finished_one_is_not(post: Post) -> None:
    post.bill(1)
    mailing_id = post.start_statements(Ways.PRINT)
    assert not continue_mailing(post.biller, mailing_id=mailing_id), "it waits already"
    JobRun.objects.filter(subject_id=mailing_id).update(state="failed")
    assert run_summary(post.biller, mailing_id).has_stopped
    assert continue_mailing(post.biller, mailing_id=mailing_id)
    assert not continue_mailing(post.biller, mailing_id=mailing_id)
    carry_out(post, mailing_id)
    JobRun.objects.filter(subject_id=mailing_id).update(state="failed")
    assert not continue_mailing(post.biller, mailing_id=mailing_id)


def test_a_file_goes_after_a_week_and_is_made_again_with_the_same_bytes(post: Post, tmp_path: Path) -> None:
    post.bill(3)
    mailing_id = post.start_statements(Ways.PRINT)
    with pytest.raises(MailingStillRunning):
        remake_file(post.biller, mailing_id=mailing_id)
    carry_out(post, mailing_id)
    before, key = _pdf(post, mailing_id), MailingFile.objects.get().key
    path = file_path(post.biller.practice.id, key)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    stray = path.with_name("stray.part")
    stray.write_bytes(b"x")
    assert remove_old_files(NOW + KEPT_FOR / 2) == 0
    remake_file(post.biller, mailing_id=mailing_id)
    assert JobRun.objects.filter(subject_id=mailing_id).count() == 1, "it is there"
    assert remove_old_files(NOW + KEPT_FOR * 2) == 1
    assert list(path.parent.iterdir()) == [], "the stray one too"
    assert run_result(post.biller, mailing_id).file is None and open_file(post.biller, mailing_id) is None
    accept_payment(
        post.biller, request_key=uuid4(), client_id=post.debtors[1].client_id, amount_cents=5000, method="cash",
        received_on=post.biller.today,
    )  # fmt: skip
    remake_file(post.biller, mailing_id=mailing_id)
    carry_out(post, mailing_id)
    assert _pdf(post, mailing_id) == before, "it says what was said"


def test_what_has_not_been_sent_can_be_stopped(post: Post, smtp: MailServer) -> None:
    post.bill(3)
    mailing_id = post.start_statements(Ways.EMAIL)
    carry_out(post, mailing_id)
    assert stop_sending(post.biller, mailing_id=mailing_id) == 3
    deliver(post)
    assert smtp.taken == [] and run_summary(post.biller, mailing_id).mails.withdrawn == 3


def test_limited_people_see_their_own_runs_of_their_own_clients(post: Post) -> None:
    post.bill(2)
    cast = post.clinic.cast
    StaffMember.objects.filter(pk=cast.bob.staff_member_id).update(limited_to_assigned=True)
    bob = cast.actor(cast.bob)
    one, two = (debtor.client_id for debtor in post.debtors.values())
    ClientAssignment.objects.create(client_id=one, staff_member_id=cast.bob.staff_member_id)
    everybodys = post.start_statements(Ways.PRINT)
    with pytest.raises(NotFound):
        get_mailing(bob, everybodys)
    post.biller = bob
    with pytest.raises(NotFound):
        post.start_statements(Ways.PRINT, clients=[one, two])
    own = post.start_statements(Ways.PRINT, clients=[one])
    carry_out(post, own)
    assert get_mailing(bob, own).pk == own
    ClientAssignment.objects.all().delete()
    for look in (get_mailing, open_file, run_result):
        with pytest.raises(NotFound):
            look(bob, own)


def test_who_lost_a_client_meanwhile_makes_nothing_of_that_client(post: Post) -> None:
    post.bill(2)
    cast = post.clinic.cast
    mailing_id = post.start_statements(Ways.PRINT)
    StaffMember.objects.filter(pk=cast.bob.staff_member_id).update(limited_to_assigned=True)
    ClientAssignment.objects.create(client_id=post.debtors[2].client_id, staff_member_id=cast.bob.staff_member_id)
    carry_out(post, mailing_id)
    assert _outcomes(mailing_id) == {"Owes00001": "not_visible", "Owes00002": "print"}


def test_without_billing_nothing_starts(post: Post) -> None:
    post.bill(1)
    post.biller = post.clinic.cast.actor(post.clinic.cast.dan)
    with pytest.raises(NotAllowed):
        post.start_statements(Ways.PRINT)
    assert not Mailing.objects.exists()


def test_one_document_is_emailed_once_and_only_to_its_client(post: Post, smtp: MailServer) -> None:
    post.bill(2)
    carry_out(post, post.start_statements(Ways.PRINT))
    one, two = MadeDocument.objects.order_by("position")
    request_id = uuid4()
    sent = {
        email_documents(
            post.biller,
            request_id=request_id,
            client_id=one.client_id,
            kind=Kind.STATEMENT,
            document_ids=[one.pk],
            text="Hello",
        )
        for _ in range(2)
    }
    assert len(sent) == 1
    with pytest.raises(NotFound):
        email_documents(
            post.biller, request_id=uuid4(), client_id=one.client_id, kind=Kind.STATEMENT,
            document_ids=[one.pk, two.pk], text="Hello",
        )  # fmt: skip
    deliver(post)
    assert read_messages(smtp.messages) == {1: 1}
