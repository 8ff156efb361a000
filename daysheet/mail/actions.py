"""Writing messages, and what people decide about them afterwards. Each is sent by the job in `delivery.py`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from daysheet.audit.actions import Happening, record, record_many
from daysheet.clients.models import Client
from daysheet.jobs.actions import start_job
from daysheet.jobs.models import LIVE_STATES, JobRun
from daysheet.kit.errors import Refusal
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.staff.models import StaffMember

from .models import DeliveryStep, Mailbox, Message
from .queries import get_message, visible_messages
from .registry import TEST, kind_named

JOB_KIND = "mail_delivery"
#: States in which a person may say: send it again.
OVER = (Message.State.FAILED, Message.State.GIVEN_UP, Message.State.UNKNOWN, Message.State.WITHDRAWN)


class AddressUnusable(Refusal):
    """There is no e-mail address, or what stands there is none."""

    code = "address_unusable"


class MessageMoved(Refusal):
    """The message is in another state than the person saw."""

    code = "message_moved"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person: a client (`client_id` set, the same as `id`) or a staff member."""

    id: UUID
    name: str
    address: str
    client_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A PDF that a registered renderer makes when the message is sent. `arguments` are JSON; where the document shows
    figures they name the moment as of which, so that it is the same document whenever it is made."""

    renderer: str
    file_name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """What one person is sent. The subject is that of the kind."""

    recipient: Recipient
    body: str
    attachments: Sequence[Attachment] = ()


def is_address(text: str) -> bool:
    """Whether this is an e-mail address that a message can be sent to."""
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= 254


def queue_messages(
    actor: Actor, *, kind: str, run_id: UUID, drafts: Sequence[Draft], is_bulk: bool = False
) -> dict[UUID, UUID]:
    """Write messages in the caller's transaction and wake the job that sends them. The caller's action checks the
    permission and audits. A person who has a message of this run already keeps that one: {recipient: message} names
    all of them. Raises AddressUnusable, with nothing written."""
    subject = kind_named(kind).subject
    for draft in drafts:
        if not is_address(draft.recipient.address):
            raise AddressUnusable(f"{draft.recipient.name} has no usable e-mail address. Nothing was sent.")
    rows = [_row(actor, kind, subject, run_id, draft, is_bulk) for draft in drafts]
    Message.objects.bulk_create(rows, ignore_conflicts=True)
    if rows:
        wake_delivery(actor)
    wanted = Message.objects.filter(run_id=run_id, recipient_id__in=[row.recipient_id for row in rows])
    return dict(wanted.values_list("recipient_id", "pk"))


def wake_delivery(actor: Actor) -> None:
    """Have waiting messages sent, unless the job is queued or at work. A message written in the moment in which the job
    ends is found by the sweep."""
    mailbox, _ = Mailbox.objects.get_or_create()
    if JobRun.objects.filter(subject_id=mailbox.pk, state__in=LIVE_STATES).exists():
        return
    waiting = Message.objects.filter(state=Message.State.WAITING).count()
    try:
        with transaction.atomic():
            start_job(actor, kind=JOB_KIND, subject_id=mailbox.pk, unit="messages", total_count=waiting)
    except IntegrityError:  # somebody else has just started it
        return


@action(Permission.ADMINISTRATOR, audited=False)
def edit_mailbox(actor: Actor, *, sender_name: str, reply_to: str) -> None:
    """How the practice signs its e-mail, from the next message on."""
    mailbox, _ = Mailbox.objects.get_or_create()
    given = {"sender_name": sender_name, "reply_to": reply_to}
    changed = sorted(name for name, value in given.items() if getattr(mailbox, name) != value)
    if changed:
        Mailbox.objects.filter(pk=mailbox.pk).update(**given)
        record(actor, "edit_mailbox", "practice", actor.practice.id, changed=changed)


@action(Permission.ADMINISTRATOR)
def send_test_message(actor: Actor, *, run_id: UUID) -> UUID:
    """A message to the person who asks, to see that e-mail works. The same `run_id` twice is one message. Raises
    AddressUnusable."""
    assert actor.staff_member_id is not None, "only a person can ask for a test message"
    person = StaffMember.objects.get(pk=actor.staff_member_id)
    draft = Draft(
        Recipient(person.pk, person.name, person.email),
        f"This is the test message that you asked for in {actor.practice.name}.\n\nE-mail from Daysheet arrives.",
    )
    message_id = queue_messages(actor, kind=TEST.name, run_id=run_id, drafts=[draft])[person.pk]
    record(actor, "send_test_message", "message", message_id)
    return message_id


@action(Permission.BILLING)
def send_again(actor: Actor, *, message_id: UUID, seen: str) -> None:
    """Send a message that failed, was given up or withdrawn, or of which nobody knows whether it arrived, once more, to
    the person's address of today. `seen` is the state on the page. Raises NotFound, MessageMoved, AddressUnusable."""
    message = _locked(actor, message_id, seen, OVER)
    _send_again(actor, [message])


@action(Permission.BILLING, audited=False)
def send_failed_again(actor: Actor, *, run_id: UUID) -> int:
    """Send what failed or was given up in a run once more, where the actor may see it; what is unknown stays for a
    person to look at. Returns how many. A person without a usable address is left out."""
    found = visible_messages(actor).filter(run_id=run_id, state__in=[Message.State.FAILED, Message.State.GIVEN_UP])
    messages = list(found.order_by("pk").select_for_update(no_key=True))
    addresses = _addresses_of_today(messages)
    usable = [message for message in messages if is_address(addresses.get(message.recipient_id, message.address))]
    if usable:
        _send_again(actor, usable)
    return len(usable)


@action(Permission.BILLING)
def mark_sent(actor: Actor, *, message_id: UUID) -> None:
    """A person has found out that a message of unknown fate arrived. Raises NotFound, MessageMoved."""
    message = _locked(actor, message_id, Message.State.UNKNOWN, (Message.State.UNKNOWN,))
    Message.objects.filter(pk=message.pk).update(
        state=Message.State.SENT, sent_at=message.handed_over_at, claim_id=None, handed_over_at=None
    )
    _decide(actor, message, DeliveryStep.Outcome.MARKED_SENT)
    record(actor, "mark_message_sent", "message", message.pk, client_id=message.client_id)


@action(Permission.BILLING)
def withdraw_message(actor: Actor, *, message_id: UUID) -> None:
    """Do not send a message that waits. Raises NotFound, MessageMoved."""
    message = _locked(actor, message_id, Message.State.WAITING, (Message.State.WAITING,))
    _withdraw(actor, [message])


@action(Permission.BILLING, audited=False)
def withdraw_run(actor: Actor, *, run_id: UUID) -> int:
    """Do not send what still waits of a run, where the actor may see it; returns how many."""
    found = visible_messages(actor).filter(run_id=run_id, state=Message.State.WAITING)
    messages = list(found.order_by("pk").select_for_update(no_key=True))
    _withdraw(actor, messages)
    return len(messages)


def _row(actor: Actor, kind: str, subject: str, run_id: UUID, draft: Draft, is_bulk: bool) -> Message:
    to = draft.recipient
    return Message(
        kind=kind, run_id=run_id, recipient_id=to.id, client_id=to.client_id, recipient_name=to.name[:170],
        address=to.address, subject=subject, body=draft.body, attachments=[asdict(each) for each in draft.attachments],
        is_bulk=is_bulk, created_at=actor.now, created_by_name=actor.person_name[:120], due_at=actor.now,
    )  # fmt: skip


def _locked(actor: Actor, message_id: UUID, seen: str, allowed: Collection[str]) -> Message:
    get_message(actor, message_id)
    message = Message.objects.select_for_update(no_key=True).get(pk=message_id)
    if message.state != seen or seen not in allowed:
        label = Message.State(message.state).label.lower()
        raise MessageMoved(f"The message is {label} by now. Nothing was changed; look at it again.")
    return message


def _send_again(actor: Actor, messages: Sequence[Message]) -> None:
    addresses = _addresses_of_today(messages)
    for message in messages:
        address = addresses.get(message.recipient_id, message.address)
        if not is_address(address):
            raise AddressUnusable(f"{message.recipient_name} has no usable e-mail address. Nothing was sent.")
        Message.objects.filter(pk=message.pk).update(
            state=Message.State.WAITING, address=address, due_at=actor.now, failure_count=0, claim_id=None,
            handed_over_at=None,
        )  # fmt: skip
        message.address = address
        _decide(actor, message, DeliveryStep.Outcome.AGAIN)
    record_many(
        actor, [Happening("send_message_again", "message", each.pk, each.client_id) for each in messages]
    )  # fmt: skip
    wake_delivery(actor)


def _withdraw(actor: Actor, messages: Sequence[Message]) -> None:
    Message.objects.filter(pk__in=[message.pk for message in messages]).update(state=Message.State.WITHDRAWN)
    for message in messages:
        _decide(actor, message, DeliveryStep.Outcome.WITHDRAWN)
    record_many(actor, [Happening("withdraw_message", "message", each.pk, each.client_id) for each in messages])


def _decide(actor: Actor, message: Message, outcome: DeliveryStep.Outcome) -> None:
    DeliveryStep.objects.create(
        message=message, at=actor.now, outcome=outcome, address=message.address, by_name=actor.person_name[:120]
    )


def _addresses_of_today(messages: Sequence[Message]) -> dict[UUID, str]:
    """{recipient: address}: what is on record now, for those who are on record."""
    clients = Client.objects.filter(pk__in=[message.client_id for message in messages if message.client_id])
    others = [message.recipient_id for message in messages if not message.client_id]
    staff = StaffMember.objects.filter(pk__in=others) if others else StaffMember.objects.none()
    return {**dict(clients.values_list("pk", "email")), **dict(staff.values_list("pk", "email"))}
