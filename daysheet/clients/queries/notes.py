"""Billing notes with their earlier texts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from daysheet.clients.models import BillingNoteText, Client
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .access import refuse_unseen


@dataclass(frozen=True, slots=True)
class NoteText:
    """One wording of a billing note."""

    text: str
    author_name: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Note:
    """A billing note: its newest wording, and the earlier ones, newest first."""

    id: UUID
    text: str
    author_name: str
    written_at: datetime
    created_at: datetime
    earlier: tuple[NoteText, ...]


@query(Permission.BILLING)
def billing_notes(actor: Actor, client: Client) -> list[Note]:
    """The billing notes of a client, newest note first. One statement."""
    refuse_unseen(actor, client)
    texts: dict[UUID, list[BillingNoteText]] = defaultdict(list)
    rows = BillingNoteText.objects.filter(note__client_id=client.pk).select_related("note")
    for row in rows.order_by("-note__created_at", "-note_id", "-written_at", "-pk"):
        texts[row.note_id].append(row)
    return [_note(wordings) for wordings in texts.values()]


def _note(wordings: list[BillingNoteText]) -> Note:
    newest = wordings[0]
    earlier = tuple(NoteText(row.text, row.author_name, row.written_at) for row in wordings[1:])
    return Note(newest.note_id, newest.text, newest.author_name, newest.written_at, newest.note.created_at, earlier)
