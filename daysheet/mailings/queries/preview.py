"""An e-mail as its receiver will see it, before it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from daysheet.clients.queries import get_client
from daysheet.mail.letters import Signature, full_text, signature_of
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..drafts import mail_draft
from ..rules import SUBJECTS


@dataclass(frozen=True, slots=True)
class Preview:
    """What stands in an e-mail's head and body."""

    signature: Signature
    address: str
    subject: str
    text: str
    file_name: str


@query(Permission.BILLING)
def preview_of(actor: Actor, client_id: UUID, kind: str, text: str, document_ids: Sequence[UUID] = ()) -> Preview:
    """The e-mail to a client about documents of this kind. Raises NotFound."""
    signature = signature_of(actor.practice)
    draft = mail_draft(get_client(actor, client_id), kind, text, document_ids)
    return Preview(
        signature, draft.recipient.address, SUBJECTS[kind], full_text(draft.body, signature),
        draft.attachments[0].file_name,
    )  # fmt: skip
