"""The e-mail that carries a client's documents."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from daysheet.clients.models import Client
from daysheet.mail.actions import Attachment, Draft, Recipient

from .attachments import RENDERER
from .rules import FILE_NAMES, greeting


def mail_draft(client: Client, kind: str, text: str, document_ids: Sequence[UUID]) -> Draft:
    """These documents to their client, in one file, to the address of today."""
    return Draft(
        Recipient(client.pk, client.name, client.email, client_id=client.pk),
        f"{greeting(client.document_name)}\n\n{text.strip()}",
        [Attachment(RENDERER, FILE_NAMES[kind], {"documents": [str(pk) for pk in document_ids]})],
    )
