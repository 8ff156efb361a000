"""A message as it goes out. The same text and signature are shown in previews; the Message-ID never changes, so that a
receiver can tell a repetition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, formataddr, parseaddr
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.message import utf8_charset_qp

from daysheet.practices.actor import PracticeFacts

from .models import Mailbox, Message
from .registry import HIDDEN

_UNREAD = "Answers to this address are not read."


@dataclass(frozen=True, slots=True)
class File:
    """An attachment as it is sent: a PDF."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Signature:
    """How the practice signs: what previews show too. `reply_to` may be empty."""

    sender_name: str
    from_address: str
    reply_to: str

    @property
    def sender(self) -> str:
        """The From header."""
        return formataddr((self.sender_name, self.from_address))


def signature_of(practice: PracticeFacts) -> Signature:
    """How this practice signs now; read inside its transaction."""
    mailbox = Mailbox.objects.first()
    name = mailbox.sender_name if mailbox else ""
    _, from_address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return Signature(name or practice.name, from_address, mailbox.reply_to if mailbox else "")


def full_text(body: str, signature: Signature) -> str:
    """The body with what stands under every message."""
    lines = [body.rstrip(), "", "-- ", signature.sender_name]
    return "\n".join(lines if signature.reply_to else [*lines, _UNREAD]) + "\n"


def message_id(message: UUID, signature: Signature) -> str:
    """The Message-ID header: made of the message's own id, the same for every try."""
    return f"<{message}@{signature.from_address.rpartition('@')[2]}>"


def letter(
    message: Message, signature: Signature, files: Sequence[File], now: datetime, *, secret: str = HIDDEN
) -> EmailMessage:
    """The e-mail itself, with the secret that its kind has."""
    email = EmailMessage(
        subject=message.subject,
        body=full_text(message.body.replace(HIDDEN, secret), signature),
        from_email=signature.sender,
        to=[message.address],
        reply_to=[signature.reply_to] if signature.reply_to else None,
        headers={
            "Message-ID": message_id(message.pk, signature),
            "Date": format_datetime(now),
            "Auto-Submitted": "auto-generated",
        },
    )
    # Seven bits a byte: the next server may not know 8BITMIME.
    email.encoding = utf8_charset_qp
    for file in files:
        email.attach(file.name, file.content, "application/pdf")
    return email
