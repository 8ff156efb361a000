"""Somebody to write to, a document to send, and a mail server on loopback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from daysheet.clients.actions import add_client
from daysheet.database.scope import practice_transaction
from daysheet.jobs.registry import RunningJob
from daysheet.kit.errors import Refusal
from daysheet.mail import registry
from daysheet.mail.actions import Attachment, Draft, Recipient, queue_messages
from daysheet.mail.delivery import run_delivery
from daysheet.mail.models import DeliveryStep, Message
from daysheet.mail.registry import Kind
from daysheet.practices.actor import Actor
from tests.mail_server import MailServer, running_mail_server
from tests.people import NOW, Cast

KIND = Kind("test_letter", "Letter", "A document for you")


@dataclass
class Office:
    """Alder Clinic, writing to its clients. `now` is the time by which its mail is sent."""

    cast: Cast
    biller: Actor
    owner: Actor
    now: datetime = NOW
    run_id: UUID = field(default_factory=uuid4)

    def client(self, first: str) -> UUID:
        """A client who has an address."""
        email = f"{first.lower()}@clients.example"
        return add_client(self.owner, first_name=first, last_name="Secretname", email=email).pk

    def draft(self, client_id: UUID, first: str, *, documents: Sequence[str] = ()) -> Draft:
        return Draft(
            Recipient(client_id, f"{first} Secretname", f"{first.lower()}@clients.example", client_id=client_id),
            f"Dear {first},\n\nplease find your document attached.\n.hidden\n..\nGrüße",
            [Attachment("test_document", f"{text}.pdf", {"text": text}) for text in documents],
        )

    def write(self, *firsts: str, documents: Sequence[str] = (), is_bulk: bool = False) -> list[Message]:
        """A message to each, in order, in one run of their own."""
        drafts = [self.draft(self.client(first), first, documents=documents) for first in firsts]
        ids = queue_messages(
            self.biller, kind=KIND.name, run_id=self.run_id, drafts=drafts, is_bulk=is_bulk
        )  # fmt: skip
        return [Message.objects.get(pk=ids[draft.recipient.id]) for draft in drafts]

    def deliver(self, *, after: timedelta = timedelta(0)) -> None:
        """The job runs once, so much later."""
        self.now += after
        run_delivery(RunningJob(self.cast.alder, uuid4(), uuid4(), clock=lambda: self.now))

    def states(self) -> list[str]:
        """Of all messages, in the order of their recipients' names."""
        return list(Message.objects.order_by("recipient_name").values_list("state", flat=True))

    def outcomes(self, message: Message) -> list[tuple[str, int | None]]:
        """What happened to a message, in order."""
        steps = DeliveryStep.objects.filter(message=message).order_by("at", "pk")
        return list(steps.values_list("outcome", "code"))


def make_documents(actor: Actor, arguments: Sequence[Mapping[str, Any]]) -> list[bytes | Refusal]:
    """A renderer: each document is its text; what is called so is refused, or fails."""
    made: list[bytes | Refusal] = []
    for each in arguments:
        if each["text"] == "broken":
            raise ValueError("Ana Secretname has no figures")
        made.append(Refusal("There is nothing to show.") if each["text"] == "refused" else each["text"].encode())
    return made


@pytest.fixture
def office(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setitem(registry._kinds, KIND.name, KIND)
    monkeypatch.setitem(registry._renderers, "test_document", make_documents)
    with practice_transaction(cast.alder.id):
        yield Office(cast, cast.actor(cast.bob), cast.actor(cast.alice))


@pytest.fixture
def smtp(settings: Any) -> Iterator[MailServer]:
    """The mail server that Daysheet is configured for."""
    with running_mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.DEFAULT_FROM_EMAIL = "Daysheet <billing@alder.example>"
        yield server
