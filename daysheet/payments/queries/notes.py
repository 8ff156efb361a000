"""One billing note, for the page that updates it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from daysheet.clients.models import BillingNoteText, Client
from daysheet.clients.queries import visible_clients
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission


@dataclass(frozen=True, slots=True)
class NoteOf:
    """A note's newest text, and whose it is."""

    client: Client
    text: str


@query(Permission.BILLING)
def note_of(actor: Actor, note_id: UUID) -> NoteOf:
    """Raises NotFound."""
    texts = BillingNoteText.objects.filter(note_id=note_id, note__client__in=visible_clients(actor))
    newest = texts.select_related("note__client").order_by("-written_at", "-pk").first()
    if newest is None:
        raise NotFound("There is no such billing note.")
    return NoteOf(newest.note.client, newest.text)
