"""Billing notes. A note's texts are rows, never changed: the newest is shown, the earlier ones are kept."""

from __future__ import annotations

from uuid import UUID

from daysheet.audit.actions import record
from daysheet.clients.models import BillingNote, BillingNoteText
from daysheet.clients.queries import get_client, visible_clients
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .clients import lock_client


class NoteEmpty(Refusal):
    """The note says nothing."""

    code = "note_empty"


@action(Permission.BILLING, audited=False)
def add_billing_note(actor: Actor, client_id: UUID, *, text: str, note_id: UUID | None = None) -> BillingNote:
    """A note on the client's ledger; the same `note_id` again gives the first one back. Raises NotFound, NoteEmpty."""
    client = get_client(actor, client_id)
    wording = _wording(text)
    note, created = BillingNote.objects.get_or_create(
        pk=note_id or new_id(), client=client, defaults={"created_at": actor.now}
    )
    if created:
        _write(actor, note, wording)
        record(actor, "add_billing_note", "billing_note", note.pk, client_id=client.pk)
    return note


@action(Permission.BILLING, audited=False)
def update_billing_note(actor: Actor, note_id: UUID, *, text: str) -> None:
    """A new wording; the earlier ones stay readable. The same text again is no change. Raises NotFound, NoteEmpty."""
    wording = _wording(text)
    note = BillingNote.objects.filter(pk=note_id, client__in=visible_clients(actor)).first()
    if note is None:
        raise NotFound("There is no such billing note.")
    lock_client(actor, note.client_id)
    newest = BillingNoteText.objects.filter(note=note).order_by("-written_at", "-pk").first()
    if newest is None or newest.text != wording:
        _write(actor, note, wording)
        record(actor, "update_billing_note", "billing_note", note.pk, client_id=note.client_id)


def _wording(text: str) -> str:
    if not text.strip():
        raise NoteEmpty("Write the note first. Nothing was saved.")
    return text.strip()


def _write(actor: Actor, note: BillingNote, text: str) -> None:
    BillingNoteText.objects.create(
        note=note,
        text=text,
        author_name=actor.person_name[:120],
        author_staff_member_id=actor.staff_member_id,
        written_at=actor.now,
    )
