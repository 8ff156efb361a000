"""Documents that were made, with their ids, for an e-mail that carries them."""

from __future__ import annotations

from uuid import UUID

from daysheet.clients.queries import visible_clients
from daysheet.documents.models import MadeDocument
from daysheet.documents.papers import Paper
from daysheet.documents.queries.made import made_document, made_together
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission


@query(Permission.BILLING)
def one_document(actor: Actor, document_id: UUID) -> tuple[list[UUID], list[Paper]]:
    """One. Raises NotFound."""
    _, paper = made_document(actor, document_id)
    return [document_id], [paper]


@query(Permission.BILLING)
def together(actor: Actor, made_in: UUID) -> tuple[list[UUID], list[Paper]]:
    """All that one request made for one client. Raises NotFound."""
    papers = made_together(actor, made_in)
    visible = MadeDocument.objects.filter(made_in=made_in, client__in=visible_clients(actor))
    return list(visible.order_by("position").values_list("pk", flat=True)), papers
