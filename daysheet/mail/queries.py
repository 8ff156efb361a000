"""The Delivery Log: what was sent to whom and what became of it, within what the reader may see (P1).

A message to a client is for people with Billing who may see the client; one to a staff member for Administrators.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from daysheet.clients.queries.access import get_client, visible_clients
from daysheet.kit.dates import local_moment
from daysheet.kit.errors import NotFound, Refusal
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.staff.registry import SettingsSection

from .letters import Signature, full_text, signature_of
from .models import DeliveryStep, Mailbox, Message
from .registry import TEST, label_of, renderer_named


@dataclass(frozen=True, slots=True)
class LogFilters:
    """Empty means any; the days are in practice time, both included. `open`: what a person may have to do something
    about."""

    state: str = ""
    kind: str = ""
    client_id: UUID | None = None
    run_id: UUID | None = None
    from_on: date | None = None
    to_on: date | None = None


#: A choice of the filter beside the states: what did not arrive, or may not have.
TROUBLE = "trouble"
_TROUBLED = (Message.State.FAILED, Message.State.GIVEN_UP, Message.State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One line of the log. `why` is what the mail server or a person said last, where the message has not been sent."""

    id: UUID
    created_at: datetime
    kind: str
    recipient_name: str
    client_id: UUID | None
    address: str
    state: str
    label: str
    sent_at: datetime | None
    due_at: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class StepRow:
    """One thing that happened to a message."""

    at: datetime
    label: str
    code: int | None
    words: str
    address: str
    by_name: str


@dataclass(frozen=True, slots=True)
class MessageDetails:
    """A message with its text as it is sent and all that happened to it."""

    row: MessageRow
    run_id: UUID
    created_by_name: str
    subject: str
    text: str
    signature: Signature
    file_names: tuple[str, ...]
    steps: tuple[StepRow, ...]

    @property
    def may_be_sent_again(self) -> bool:
        """Whether a person may say so."""
        return self.row.state in {*_TROUBLED, Message.State.WITHDRAWN}


@dataclass(frozen=True, slots=True)
class MailSection:
    """What Organization → Settings says of e-mail."""

    signature: Signature
    has_server: bool


@query(Permission.BILLING)
def visible_messages(actor: Actor) -> QuerySet[Message]:
    """The messages this actor may see. Every list, count and lookup of messages starts here."""
    visible = Q(client__isnull=False)
    if actor.limited_to_assigned:
        visible = Q(client__in=visible_clients(actor))
    if actor.may(Permission.ADMINISTRATOR):
        visible |= Q(client__isnull=True)
    return Message.objects.filter(visible)


@query(Permission.BILLING)
def get_message(actor: Actor, message_id: UUID) -> Message:
    """One message. Raises NotFound."""
    message = visible_messages(actor).filter(pk=message_id).first()
    if message is None:
        raise NotFound("There is no such message.")
    return message


@query(Permission.BILLING)
def matching_messages(actor: Actor, filters: LogFilters) -> QuerySet[Message]:
    """The log, newest first. Raises NotFound for a client the actor may not see."""
    found = visible_messages(actor).order_by("-created_at", "-pk")
    if filters.client_id:
        found = found.filter(client_id=get_client(actor, filters.client_id).pk)
    if filters.run_id:
        found = found.filter(run_id=filters.run_id)
    if filters.state:
        states = _TROUBLED if filters.state == TROUBLE else (filters.state,)
        found = found.filter(state__in=states)
    if filters.kind:
        found = found.filter(kind=filters.kind)
    if filters.from_on:
        found = found.filter(created_at__gte=local_moment(filters.from_on, time.min, actor.practice.time_zone))
    if filters.to_on:
        end = local_moment(filters.to_on + timedelta(days=1), time.min, actor.practice.time_zone)
        found = found.filter(created_at__lt=end)
    return found


@query(Permission.BILLING)
def message_rows(actor: Actor, messages: Sequence[Message]) -> list[MessageRow]:
    """Messages as lines of the log, in one more query."""
    waiting = [message.pk for message in messages if message.state != Message.State.SENT]
    steps = DeliveryStep.objects.filter(message__in=waiting).order_by("message", "-at", "-pk").distinct("message")
    last = {step.message_id: step for step in steps}
    return [_row(message, last.get(message.pk)) for message in messages]


@query(Permission.BILLING)
def message_details(actor: Actor, message_id: UUID) -> MessageDetails:
    """The page of one message. Raises NotFound."""
    message = get_message(actor, message_id)
    steps = list(DeliveryStep.objects.filter(message=message).order_by("at", "pk"))
    signature = signature_of(actor.practice)
    return MessageDetails(
        row=_row(message, steps[-1] if steps else None),
        run_id=message.run_id,
        created_by_name=message.created_by_name,
        subject=message.subject,
        text=full_text(message.body, signature),
        signature=signature,
        file_names=tuple(each["file_name"] for each in message.attachments),
        steps=tuple(
            StepRow(
                step.at, DeliveryStep.Outcome(step.outcome).label, step.code, step.words, step.address, step.by_name
            )
            for step in steps
        ),
    )  # fmt: skip


@query(Permission.BILLING)
def attached_file(actor: Actor, message_id: UUID, position: int) -> tuple[str, bytes]:
    """Name and bytes of a message's attachment, made again from what the message says. Raises NotFound, and what its
    renderer refuses with."""
    attachments = get_message(actor, message_id).attachments
    if not 1 <= position <= len(attachments):
        raise NotFound("The message has no such attachment.")
    each: Mapping[str, Any] = attachments[position - 1]
    (content,) = renderer_named(each["renderer"])(actor, [each["arguments"]])
    if isinstance(content, Refusal):
        raise content
    return each["file_name"], content


@query(Permission.BILLING)
def counts_of_runs(actor: Actor, run_ids: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """{run: {state: how many messages}}, of all recipients whoever asks: the result of a run. One query."""
    counted: dict[UUID, dict[str, int]] = {run_id: {} for run_id in run_ids}
    states = Message.objects.filter(run_id__in=run_ids).values_list("run_id", "state").annotate(count=Count("pk"))
    for run_id, state, count in states:
        counted[run_id][state] = count
    return counted


@query(Permission.ADMINISTRATOR)
def mail_signature(actor: Actor) -> Signature:
    """How the practice signs now."""
    return signature_of(actor.practice)


@query(Permission.ADMINISTRATOR)
def mailbox_facts(actor: Actor) -> dict[str, str]:
    """What was typed about the practice's e-mail."""
    mailbox = Mailbox.objects.first()
    return {"sender_name": mailbox.sender_name, "reply_to": mailbox.reply_to} if mailbox else {}


@query(Permission.ADMINISTRATOR)
def last_test(actor: Actor) -> MessageRow | None:
    """The actor's own newest test message."""
    if actor.staff_member_id is None:
        return None
    tests = Message.objects.filter(kind=TEST.name, recipient_id=actor.staff_member_id)
    message = tests.order_by("-created_at", "-pk").first()
    if message is None:
        return None
    return _row(message, DeliveryStep.objects.filter(message=message).order_by("-at", "-pk").first())


def settings_section(actor: Actor) -> SettingsSection:
    """The part of Organization → Settings."""
    return SettingsSection("mail/settings_section.html", MailSection(mail_signature(actor), has_server()))


def has_server() -> bool:
    """Whether messages leave this machine; else they are files in its data folder."""
    return bool(settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"))


def _row(message: Message, last: DeliveryStep | None) -> MessageRow:
    is_waiting = message.state == Message.State.WAITING
    return MessageRow(
        id=message.pk,
        created_at=message.created_at,
        kind=label_of(message.kind),
        recipient_name=message.recipient_name,
        client_id=message.client_id,
        address=message.address,
        state=message.state,
        label=Message.State(message.state).label,
        sent_at=message.sent_at,
        due_at=message.due_at if is_waiting and message.failure_count else None,
        why=_why(message, last),
    )


def _why(message: Message, last: DeliveryStep | None) -> str:
    if message.state == Message.State.SENT or last is None:
        return ""
    if message.state == Message.State.UNKNOWN:
        return "It may have arrived: check before sending again."
    said = " ".join(part for part in (str(last.code or ""), last.words) if part)
    return said or DeliveryStep.Outcome(last.outcome).label
