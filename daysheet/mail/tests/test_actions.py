"""What is written, what people decide about it, and who may."""

from __future__ import annotations

from uuid import uuid4

import pytest

from daysheet.audit.models import AuditEvent
from daysheet.clients.models import Client, ClientAssignment
from daysheet.jobs.models import JobRun
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.mail.actions import (
    AddressUnusable,
    Draft,
    MessageMoved,
    Recipient,
    edit_mailbox,
    mark_sent,
    queue_messages,
    send_again,
    send_failed_again,
    send_test_message,
    withdraw_message,
    withdraw_run,
)
from daysheet.mail.models import DeliveryStep, Message
from daysheet.mail.queries import LogFilters, matching_messages, visible_messages
from daysheet.practices.actor import Actor
from daysheet.staff.models import StaffMember
from tests.mail_server import MailServer

from .conftest import KIND, Office


def _unknown(office: Office, smtp: MailServer) -> Message:
    (message,) = office.write("Ana")
    smtp.at_data[message.address] = ["drop"]
    office.deliver()
    message.refresh_from_db()
    assert message.state == "unknown"
    return message


def _limited(office: Office) -> Actor:
    StaffMember.objects.filter(pk=office.cast.bob.staff_member_id).update(limited_to_assigned=True)
    return office.cast.actor(office.cast.bob)


@pytest.mark.parametrize("address", ["", "ana", "ana@", "a b@x.example", "ana@x.example\nBcc: eve@x.example"])
def test_an_unusable_address_is_refused_and_nothing_is_written(office: Office, address: str) -> None:
    draft = Draft(Recipient(uuid4(), "Ana Ruiz", address), "Dear Ana")
    good = Draft(Recipient(uuid4(), "Ben Ruiz", "ben@x.example"), "Dear Ben")
    with pytest.raises(AddressUnusable, match="Ana Ruiz has no usable e-mail address"):
        queue_messages(office.biller, kind=KIND.name, run_id=uuid4(), drafts=[good, draft])
    assert not Message.objects.exists() and not JobRun.objects.exists()


def test_a_kind_nobody_registered_is_a_mistake_of_the_program(office: Office) -> None:
    with pytest.raises(KeyError):
        queue_messages(office.biller, kind="no_such_kind", run_id=uuid4(), drafts=[])


def test_an_unknown_is_marked_as_sent_by_a_person(office: Office, smtp: MailServer) -> None:
    message = _unknown(office, smtp)
    handed_over_at = message.handed_over_at
    mark_sent(office.biller, message_id=message.pk)
    message.refresh_from_db()
    assert (message.state, message.sent_at, message.claim_id) == ("sent", handed_over_at, None)
    step = DeliveryStep.objects.order_by("pk").last()
    assert step and (step.outcome, step.by_name) == ("marked_sent", "Bob Biller")
    assert AuditEvent.objects.get(verb="mark_message_sent").client_id == message.client_id
    with pytest.raises(MessageMoved, match="is sent by now"):
        mark_sent(office.biller, message_id=message.pk)


def test_an_unknown_is_sent_again_by_a_person_and_once(office: Office, smtp: MailServer) -> None:
    message = _unknown(office, smtp)
    send_again(office.biller, message_id=message.pk, seen="unknown")
    with pytest.raises(MessageMoved, match="is waiting by now"):
        send_again(office.biller, message_id=message.pk, seen="unknown")
    office.deliver()
    assert smtp.addresses() == [message.address]
    with pytest.raises(MessageMoved):
        send_again(office.biller, message_id=message.pk, seen="sent")


def test_a_failed_one_goes_to_the_address_of_today(office: Office, smtp: MailServer) -> None:
    (message,) = office.write("Ana")
    smtp.at_recipient["ana@clients.example"] = ["550 No such user"]
    office.deliver()
    Client.objects.filter(pk=message.client_id).update(email="")
    with pytest.raises(AddressUnusable):
        send_again(office.biller, message_id=message.pk, seen="failed")
    Client.objects.filter(pk=message.client_id).update(email="ana@new.example")
    send_again(office.biller, message_id=message.pk, seen="failed")
    office.deliver()
    assert smtp.addresses() == ["ana@new.example"]
    steps = DeliveryStep.objects.filter(message=message).order_by("pk").values_list("outcome", "address")
    assert list(steps) == [
        ("refused", "ana@clients.example"), ("again", "ana@new.example"), ("accepted", "ana@new.example"),
    ]  # fmt: skip


def test_what_failed_in_a_run_is_sent_again_and_what_is_unknown_is_not(office: Office, smtp: MailServer) -> None:
    office.write("Ana", "Ben", "Cid", "Dot")
    for name in ("ana", "ben"):
        smtp.at_recipient[f"{name}@clients.example"] = ["550 No such user"]
    smtp.at_data["cid@clients.example"] = ["drop"]
    office.deliver()
    Client.objects.filter(first_name="Ben").update(email="")
    assert send_failed_again(office.biller, run_id=office.run_id) == 1
    office.deliver()
    assert office.states() == ["sent", "failed", "unknown", "sent"]
    assert send_failed_again(office.biller, run_id=uuid4()) == 0


def test_what_waits_can_be_withdrawn_singly_and_by_run(office: Office, smtp: MailServer) -> None:
    ana, _, _ = office.write("Ana", "Ben", "Cid")
    withdraw_message(office.biller, message_id=ana.pk)
    assert withdraw_run(office.biller, run_id=office.run_id) == 2
    assert withdraw_run(office.biller, run_id=office.run_id) == 0
    office.deliver()
    assert office.states() == ["withdrawn"] * 3 and smtp.taken == []
    assert AuditEvent.objects.filter(verb="withdraw_message").count() == 3
    send_again(office.biller, message_id=ana.pk, seen="withdrawn")
    office.deliver()
    assert smtp.addresses() == [ana.address]


def test_people_see_the_messages_of_their_clients_only(office: Office, smtp: MailServer) -> None:
    ana, ben = office.write("Ana", "Ben")
    for message in (ana, ben):
        smtp.at_recipient[message.address] = ["550 No"]
    office.deliver()
    bob = _limited(office)
    ClientAssignment.objects.create(client_id=ana.client_id, staff_member_id=office.cast.bob.staff_member_id)
    assert list(visible_messages(bob)) == [ana]
    with pytest.raises(NotFound):
        send_again(bob, message_id=ben.pk, seen="failed")
    with pytest.raises(NotFound):
        matching_messages(bob, LogFilters(client_id=ben.client_id))
    assert send_failed_again(bob, run_id=office.run_id) == 1
    ben.refresh_from_db()
    assert ben.state == "failed"


def test_without_billing_there_is_no_log_and_staff_mail_is_for_administrators(office: Office) -> None:
    message_id = send_test_message(office.owner, run_id=uuid4())
    assert list(visible_messages(office.owner).values_list("pk", flat=True)) == [message_id]
    assert not visible_messages(office.biller).exists()
    with pytest.raises(NotAllowed):
        visible_messages(office.cast.actor(office.cast.dan))
    with pytest.raises(NotAllowed):
        send_test_message(office.biller, run_id=uuid4())
    with pytest.raises(NotAllowed):
        edit_mailbox(office.biller, sender_name="Eve", reply_to="")


def test_a_test_message_goes_to_the_person_who_asks_and_once_a_click(office: Office, smtp: MailServer) -> None:
    run_id = uuid4()
    assert send_test_message(office.owner, run_id=run_id) == send_test_message(office.owner, run_id=run_id)
    office.deliver()
    assert smtp.addresses() == ["alice@alder.example"]


def test_how_the_practice_signs_is_audited_once(office: Office) -> None:
    for _ in range(2):
        edit_mailbox(office.owner, sender_name="Alder", reply_to="desk@alder.example")
    assert AuditEvent.objects.get(verb="edit_mailbox").details == {"changed": ["reply_to", "sender_name"]}
