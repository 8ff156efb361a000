"""Sending over a real SMTP server: what it takes, puts off, refuses, and what a broken line or worker leaves."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail as outbox

from daysheet.database.scope import practice_transaction
from daysheet.jobs.models import JobRun
from daysheet.mail import registry, transport
from daysheet.mail.actions import edit_mailbox, queue_messages
from daysheet.mail.jobs import wake_where_due
from daysheet.mail.models import DeliveryStep, Message
from daysheet.mail.rules import DELAYS
from daysheet.mail.transport import Line
from tests.mail_server import PASSWORD, USER, MailServer, own_certificate, running_mail_server

from .conftest import KIND, Office

MINUTE = timedelta(minutes=1)


def test_a_message_arrives_with_its_documents_and_says_nothing_on_its_outside(office: Office, smtp: MailServer) -> None:
    edit_mailbox(office.owner, sender_name="Alder Büro", reply_to="desk@alder.example")
    (message,) = office.write("Ana", documents=("one", "two"))
    office.deliver()
    (received,) = smtp.messages
    assert smtp.addresses() == ["ana@clients.example"]
    assert received["Subject"] == KIND.subject
    assert "Secretname" not in str(received["Subject"]) + str(received["From"])
    assert received["From"] == "Alder Büro <billing@alder.example>"
    assert received["Reply-To"] == "desk@alder.example"
    assert received["To"] == "ana@clients.example"
    assert received["Message-ID"] == f"<{message.pk}@alder.example>"
    text = received.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert text == "Dear Ana,\n\nplease find your document attached.\n.hidden\n..\nGrüße\n\n-- \nAlder Büro\n"
    files = [(part.get_filename(), part.get_content()) for part in received.iter_attachments()]
    assert files == [("one.pdf", b"one"), ("two.pdf", b"two")]
    assert {part.get_content_type() for part in received.iter_attachments()} == {"application/pdf"}
    message.refresh_from_db()
    assert (message.state, message.sent_at, message.claim_id) == ("sent", office.now, None)
    step = DeliveryStep.objects.get()
    assert (step.outcome, step.code, step.address) == ("accepted", 250, "ana@clients.example")
    assert len(step.sha256) == 64 and step.size_bytes == len(smtp.taken[0][1])


def test_without_an_address_for_answers_the_message_says_so(office: Office, smtp: MailServer) -> None:
    office.write("Ana")
    office.deliver()
    (received,) = smtp.messages
    assert received["Reply-To"] is None
    assert "Alder Clinic\r\nAnswers to this address are not read." in received.get_body(("plain",)).get_content()


def test_nobody_gets_two_of_one_run(office: Office, smtp: MailServer) -> None:
    office.write("Ana", "Ben")
    (ana, ben) = Message.objects.order_by("recipient_name")
    drafts = [office.draft(ana.recipient_id, "Ana"), office.draft(ben.recipient_id, "Ben")]
    again = queue_messages(office.biller, kind=KIND.name, run_id=office.run_id, drafts=drafts)
    assert again == {ana.recipient_id: ana.pk, ben.recipient_id: ben.pk}
    office.deliver()
    office.deliver()
    assert sorted(smtp.addresses()) == ["ana@clients.example", "ben@clients.example"]
    queue_messages(office.biller, kind=KIND.name, run_id=uuid4(), drafts=drafts[:1])
    office.deliver()
    assert smtp.addresses().count("ana@clients.example") == 2, "another run is another message"


def test_a_temporary_refusal_is_tried_again_after_a_growing_while(office: Office, smtp: MailServer) -> None:
    message, _ = office.write("Ana", "Ben")
    smtp.at_recipient["ana@clients.example"] = ["451 4.7.1 Greylisted ana@clients.example"]
    smtp.at_data["ana@clients.example"] = ["452 4.2.2 Mailbox full"]
    office.deliver()
    assert office.states() == ["waiting", "sent"], "the next one is not kept from its turn"
    office.deliver(after=DELAYS[0] - timedelta(seconds=1))
    assert len(office.outcomes(message)) == 1, "not before it is due"
    office.deliver(after=timedelta(seconds=1))
    message.refresh_from_db()
    assert (message.state, message.failure_count, message.due_at) == ("waiting", 2, office.now + DELAYS[1])
    office.deliver(after=DELAYS[1])
    assert office.outcomes(message) == [("temporary", 451), ("temporary", 452), ("accepted", 250)]
    assert smtp.addresses() == ["ben@clients.example", "ana@clients.example"]


def test_after_two_days_of_temporary_refusals_it_is_given_up(office: Office, smtp: MailServer) -> None:
    (message,) = office.write("Ana")
    smtp.at_recipient["ana@clients.example"] = ["450 later"] * 100
    office.deliver()
    for delay in DELAYS:
        office.deliver(after=delay)
    message.refresh_from_db()
    assert message.state == "given_up"
    assert [outcome for outcome, _ in office.outcomes(message)] == ["temporary"] * len(DELAYS) + ["gave_up"]
    office.deliver(after=timedelta(days=30))
    assert len(office.outcomes(message)) == len(DELAYS) + 1


@pytest.mark.parametrize("where", ["at_recipient", "at_data"])
def test_a_permanent_refusal_stops_this_message_and_no_other(office: Office, smtp: MailServer, where: str) -> None:
    message, _ = office.write("Ana", "Ben")
    getattr(smtp, where)["ana@clients.example"] = ["550 5.1.1 No such user"]
    office.deliver()
    assert office.states() == ["failed", "sent"]
    assert office.outcomes(message) == [("refused", 550)]
    office.deliver(after=timedelta(days=1))
    assert smtp.addresses() == ["ben@clients.example"]


def test_a_server_that_cannot_be_reached_stops_the_round(office: Office, smtp: MailServer, settings: Any) -> None:
    ana, ben = office.write("Ana", "Ben")
    settings.EMAIL_PORT = 1
    office.deliver()
    assert office.states() == ["waiting", "waiting"]
    assert office.outcomes(ana) == [("temporary", None)]
    assert office.outcomes(ben) == [], "it says nothing about the others, which keep their patience"
    settings.EMAIL_PORT = smtp.port
    office.deliver(after=MINUTE)
    assert office.states() == ["sent", "sent"]


def test_a_line_that_breaks_before_the_message_was_handed_over_has_delivered_nothing(
    office: Office, smtp: MailServer
) -> None:
    office.write("Ana", "Ben")
    smtp.at_recipient["ana@clients.example"] = ["drop"]
    office.deliver()
    assert office.states() == ["waiting", "waiting"]
    office.deliver(after=MINUTE)
    assert office.states() == ["sent", "sent"]
    assert sorted(smtp.addresses()) == ["ana@clients.example", "ben@clients.example"]


@pytest.mark.parametrize(("reply", "arrived"), [("take and drop", 1), ("drop", 0)])
def test_a_line_that_breaks_after_it_leaves_an_unknown_that_is_never_sent_by_itself(
    office: Office, smtp: MailServer, reply: str, arrived: int
) -> None:
    message, _ = office.write("Ana", "Ben")
    smtp.at_data["ana@clients.example"] = [reply]
    office.deliver()
    assert office.states() == ["unknown", "waiting"]
    for _ in range(5):
        office.deliver(after=timedelta(days=1))
    assert office.states() == ["unknown", "sent"]
    assert smtp.addresses().count("ana@clients.example") == arrived
    assert office.outcomes(message) == [("unknown", None)]


def test_a_server_that_hangs_up_after_some_messages_gets_the_rest_over_another_line(
    office: Office, smtp: MailServer
) -> None:
    smtp.most_in_a_connection = 2
    office.write("Ana", "Ben", "Cid", "Dot", "Eli")
    office.deliver()
    assert office.states() == ["sent"] * 5
    assert len(smtp.taken) == 5 and smtp.connections == 3
    assert DeliveryStep.objects.count() == 5, "being hung up on is not the message's failure"


def test_many_refusals_in_a_row_end_the_round(office: Office, smtp: MailServer) -> None:
    names = [f"N{number:02d}" for number in range(12)]
    office.write(*names)
    for name in names:
        smtp.at_recipient[f"{name.lower()}@clients.example"] = ["452 4.5.3 Too many messages this minute"]
    office.deliver()
    assert DeliveryStep.objects.count() == 5
    assert office.states() == ["waiting"] * 12


def test_a_slow_server_is_waited_for_with_signs_of_life(
    office: Office, smtp: MailServer, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.EMAIL_TIMEOUT = 1  # of each command; the last answer takes longer
    monkeypatch.setattr(transport, "_LOOK_EVERY_SECONDS", 0.3)
    beats: list[int] = []

    def beat() -> None:
        beats.append(len(smtp.taken))
        if beats.count(1) == 5:
            smtp.go_on.set()

    line = Line(beat)
    smtp.held.add("ana@clients.example")
    (message,) = office.write("Ana")
    email = outbox.EmailMessage("S", "B", "a@alder.example", [message.address])
    answer = line.send(email, lambda: None)
    line.close()
    assert (answer.verdict, answer.code) == ("accepted", 250)
    assert beats.count(1) >= 5, "while the last answer was waited for"


def test_a_server_that_stops_reading_in_the_middle_of_the_message_has_taken_nothing(
    office: Office, smtp: MailServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than the line holds, and nobody at its other end: the dot was never sent, so it is tried again."""
    monkeypatch.setitem(registry._renderers, "test_document", lambda actor, wanted: [b"x" * 8_000_000] * len(wanted))
    (message,) = office.write("Ana", documents=("large",))
    settings.EMAIL_TIMEOUT = 0.5
    with a_server_that_stops_reading() as port:
        settings.EMAIL_PORT = port
        office.deliver()
    message.refresh_from_db()
    assert (message.state, message.handed_over_at, message.failure_count) == ("waiting", None, 1)
    assert office.outcomes(message) == [("temporary", None)]
    settings.EMAIL_TIMEOUT, settings.EMAIL_PORT = 20, smtp.port
    office.deliver(after=DELAYS[0])
    assert office.states() == ["sent"] and smtp.addresses() == ["ana@clients.example"]


@contextmanager
def a_server_that_stops_reading() -> Iterator[int]:
    """It says yes until DATA, and then nothing, with the line open. Yields its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        line, _ = listening.accept()
        with line, line.makefile("rwb", buffering=0) as talk:
            talk.write(b"220 hello\r\n")
            while (said := talk.readline()) and not said.upper().startswith(b"DATA"):
                talk.write(b"250 OK\r\n")
            talk.write(b"354 go on\r\n")
            ended.wait(timeout=30)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        ended.set()
        thread.join()
        listening.close()


def test_a_server_that_never_answers_leaves_an_unknown(
    office: Office, smtp: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_LOOK_EVERY_SECONDS", 0.2)
    monkeypatch.setattr(transport, "FINAL_LOOKS", 2)
    smtp.held.add("ana@clients.example")
    office.write("Ana")
    office.deliver()
    assert office.states() == ["unknown"]


@pytest.mark.parametrize("after_the_mark", [False, True])
def test_what_a_lost_worker_had_waits_again_or_is_unknown(
    office: Office, smtp: MailServer, monkeypatch: pytest.MonkeyPatch, after_the_mark: bool
) -> None:
    """The kill itself is in tests/invariants/test_killed_mail.py."""
    office.write("Ana", "Ben")

    def killed(line: Line, email: Any, hand_over: Any) -> None:
        if after_the_mark:
            hand_over()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Line, "send", killed)
        office.deliver()
    assert office.states() == ["sending", "sending"]
    assert wake_where_due(office.now) == 1
    office.deliver()
    assert office.states() == (["unknown", "sent"] if after_the_mark else ["sent", "sent"])


def test_a_worker_whose_message_was_taken_over_does_not_send_the_dot(
    office: Office, smtp: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was believed lost, and is alive in the middle of the message."""
    (message,) = office.write("Ana")
    envelope = Line._envelope

    def taken_over(line: Line, *args: Any) -> Any:
        monkeypatch.setattr(Line, "_envelope", envelope)
        Message.objects.filter(pk=message.pk).update(claim_id=uuid4())
        return envelope(line, *args)

    monkeypatch.setattr(Line, "_envelope", taken_over)
    office.deliver()
    assert smtp.taken == []
    office.deliver()
    assert office.states() == ["sent"]
    assert len(smtp.taken) == 1


def test_a_worker_that_comes_back_with_the_answer_is_right_about_its_unknown(
    office: Office, smtp: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (message,) = office.write("Ana")
    wait = Line._wait

    def overtaken(line: Line, *args: Any) -> None:
        monkeypatch.setattr(Line, "_wait", wait)
        office.deliver()  # another worker, which finds this one's message and believes it lost
        assert office.states() == ["unknown"]
        wait(line, *args)

    monkeypatch.setattr(Line, "_wait", overtaken)
    office.deliver()
    assert office.states() == ["sent"]
    assert [outcome for outcome, _ in office.outcomes(message)] == ["unknown", "accepted"]
    assert len(smtp.taken) == 1


def test_a_document_that_cannot_be_made_stops_its_message_only(office: Office, smtp: MailServer) -> None:
    office.write("Ana", documents=["refused"])
    office.run_id = uuid4()
    office.write("Ben", documents=["broken"])
    office.run_id = uuid4()
    office.write("Cid", documents=["good"])
    office.deliver()
    assert office.states() == ["failed", "failed", "sent"]
    words = list(DeliveryStep.objects.order_by("message__recipient_name").values_list("words", flat=True))
    assert words[0] == "There is nothing to show."
    assert words[1].startswith("The document could not be made.")


def test_what_a_person_sends_singly_does_not_wait_behind_a_run(office: Office, smtp: MailServer) -> None:
    office.write("Ana", "Ben", is_bulk=True)
    office.run_id = uuid4()
    office.write("Zoe")
    office.deliver()
    assert smtp.addresses()[0] == "zoe@clients.example"


def test_no_log_line_has_an_address_a_name_or_the_servers_words(
    office: Office, smtp: MailServer, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    office.write("Ana", "Ben", "Cid", "Dot", documents=["broken"])
    office.run_id = uuid4()
    office.write("Eli", "Fay", "Gus")
    smtp.at_recipient["eli@clients.example"] = ["550 5.1.1 eli@clients.example unknown"]
    smtp.at_recipient["fay@clients.example"] = ["450 4.1.1 fay@clients.example later"]
    smtp.at_data["gus@clients.example"] = ["drop"]
    office.deliver()
    settings.EMAIL_PORT = 1
    office.deliver(after=MINUTE)
    assert len(caplog.records) >= 6
    ours = [record for record in caplog.records if record.name != "mail.log"]  # that is the test's own server
    logged = "\n".join(record.getMessage() + (record.exc_text or "") for record in ours)
    assert "@clients" not in logged and "Secretname" not in logged and "later" not in logged


def test_tls_and_a_sign_in(office: Office, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = own_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with running_mail_server(tls=tls) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", server.port, True
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = USER, PASSWORD
        office.write("Ana")
        office.deliver()
        assert office.states() == ["waiting"], "nobody vouches for the certificate: nothing is said to this server"
        assert "certificate" in DeliveryStep.objects.get().words.lower()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        office.deliver(after=MINUTE)
        assert office.states() == ["sent"] and server.was_encrypted
        settings.EMAIL_HOST_PASSWORD = "wrong"
        office.run_id = uuid4()
        office.write("Ben")
        office.deliver()
        assert office.states() == ["sent", "waiting"], "a wrong password is nobody's message's fault"
        assert DeliveryStep.objects.get(message__recipient_name__startswith="Ben").code == 535


def test_without_a_mail_server_messages_are_put_into_the_outbox(office: Office) -> None:
    office.write("Ana")
    office.deliver()
    assert office.states() == ["sent"]
    assert [sent.to for sent in outbox.outbox] == [["ana@clients.example"]]


def test_writing_wakes_one_job_and_the_sweep_finds_what_it_missed(office: Office) -> None:
    office.write("Ana")
    office.run_id = uuid4()
    office.write("Ben")
    assert JobRun.objects.filter(kind="mail_delivery").count() == 1
    JobRun.objects.update(state="done")
    with practice_transaction(office.cast.alder.id):
        assert wake_where_due(office.now) == 1
    assert JobRun.objects.filter(kind="mail_delivery", state="queued").count() == 1
    office.deliver()
    JobRun.objects.update(state="done")
    assert wake_where_due(office.now) == 0
