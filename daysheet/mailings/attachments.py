"""Documents that were made, as attachments: set again from what is kept, byte for byte the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from daysheet.clients.queries import visible_clients
from daysheet.documents.models import MadeDocument
from daysheet.documents.queries.made import paper_of
from daysheet.documents.rendering import render_pdf
from daysheet.kit.errors import NotFound, Refusal
from daysheet.practices.actor import Actor

#: The name under which mail finds `render_documents`.
RENDERER = "made_documents"


def render_documents(actor: Actor, arguments: Sequence[Mapping[str, Any]]) -> list[bytes | Refusal]:
    """One PDF for each `{"documents": [ids]}`, in one read. A document that is not of a client whom the actor may see
    refuses its file."""
    wanted = [[UUID(pk) for pk in each["documents"]] for each in arguments]
    visible = MadeDocument.objects.filter(client__in=visible_clients(actor)).select_related("logo")
    found = visible.in_bulk([pk for ids in wanted for pk in ids])
    return [_pdf(ids, found) for ids in wanted]


def _pdf(ids: Sequence[UUID], found: Mapping[UUID, MadeDocument]) -> bytes | Refusal:
    if not ids or not set(ids) <= set(found):
        return NotFound("There is no such document any more.")
    return render_pdf([paper_of(found[pk]) for pk in ids]).pdf
