"""The file of a run, opened after the permission was checked."""

from __future__ import annotations

from typing import BinaryIO
from uuid import UUID

from daysheet.documents.papers import Kind
from daysheet.kit.dates import local_date
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..files import file_path
from ..models import MailingFile
from .access import get_mailing


@query(Permission.BILLING)
def open_file(actor: Actor, mailing_id: UUID) -> tuple[str, BinaryIO] | None:
    """Its name, which names nobody, and the open file; None where it was removed. Raises NotFound."""
    mailing = get_mailing(actor, mailing_id)
    file = MailingFile.objects.filter(mailing=mailing, removed_at=None).first()
    if file is None:
        return None
    try:
        content = file_path(actor.practice.id, file.key).open("rb")
    except FileNotFoundError:
        return None
    day = local_date(mailing.created_at, actor.practice.time_zone)
    return f"{Kind(mailing.kind).label.lower()}s-{day:%Y-%m-%d}.pdf", content
