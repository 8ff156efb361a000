"""The verbs of documents: make one and keep what it said, and set how they look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from daysheet.audit.actions import Happening, record, record_many
from daysheet.kit.errors import NotFound, Refusal
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .colours import contrast_words, is_readable
from .contents import content_of, sha256_of
from .logos import draw_logo
from .models import DocumentSettings, Logo, MadeDocument
from .papers import Paper
from .rendering import render_pdf


class OtherDocument(Refusal):
    """The id given in advance is that of another document."""

    code = "other_document"
    status = 409


class ColourTooLight(Refusal):
    """Text in this colour could not be read on white paper."""

    code = "colour_too_light"


@action(Permission.BILLING, audited=False)
def make_document(actor: Actor, *, document_id: UUID, paper: Paper) -> MadeDocument:
    """Keep what this paper says as a document that was made. The same id twice is one document. Raises
    OtherDocument."""
    made = MadeDocument.objects.filter(pk=document_id).first()
    if made is None:
        rendered = render_pdf([paper])
        return keep_made(actor, [paper], rendered.page_clients, ids=[document_id])[0]
    if (made.client_id, made.kind) != (paper.client_id, paper.kind):
        raise OtherDocument("This page made another document before. Load it anew and try again. Nothing was made.")
    return made


def keep_made(
    actor: Actor, papers: Sequence[Paper], page_clients: Sequence[UUID], *, ids: Sequence[UUID] = ()
) -> list[MadeDocument]:
    """Keep these papers as made, inside the caller's action: three statements for any number, with an audit event
    each. `page_clients` is what rendering them answered. A client may have several papers: then their pages are
    counted together with the first's."""
    pages = Counter(page_clients)
    made = [
        _made(actor, paper, pages.pop(paper.client_id, 1), ids[place] if ids else None)
        for place, paper in enumerate(papers)
    ]
    MadeDocument.objects.bulk_create(made, batch_size=500)
    record_many(
        actor,
        [
            Happening("make_document", "document", each.pk, each.client_id, {"kind": each.kind, "sha256": each.sha256})
            for each in made
        ],
    )
    return made


@action(Permission.ADMINISTRATOR, audited=False)
def edit_document_settings(actor: Actor, *, pay_to: str, brand_colour: str, message: str) -> None:
    """Change how documents look. Raises ColourTooLight."""
    colour = brand_colour.lower()
    if not is_readable(colour):
        raise ColourTooLight(
            f"{colour} is too light to be read on white paper: its contrast is {contrast_words(colour)}. "
            "Choose a darker one."
        )
    facts: dict[str, Any] = {"pay_to": pay_to, "brand_colour": colour, "message": message}
    settings = DocumentSettings.objects.select_for_update(no_key=True).first()
    if settings is None:
        settings = DocumentSettings.objects.create(**facts)
    elif not (changed := {name: value for name, value in facts.items() if getattr(settings, name) != value}):
        return
    else:
        DocumentSettings.objects.filter(pk=settings.pk).update(**changed)
    record(actor, "edit_document_settings", "document_settings", settings.pk, changed=sorted(facts))


@action(Permission.ADMINISTRATOR, audited=False)
def upload_logo(actor: Actor, *, logo_id: UUID, content: bytes, alt: str) -> None:
    """Print this logo from now on. The same id twice is one logo. Raises LogoRefused."""
    if Logo.objects.filter(pk=logo_id).exists():
        return
    drawn = draw_logo(content)
    Logo.objects.filter(removed_at=None).update(removed_at=actor.now)
    Logo.objects.create(
        id=logo_id, png=drawn.png, alt=alt, width=drawn.width, height=drawn.height, uploaded_at=actor.now,
        uploaded_by_name=actor.person_name[:120],
    )  # fmt: skip
    record(actor, "upload_logo", "logo", logo_id)


@action(Permission.ADMINISTRATOR, audited=False)
def remove_logo(actor: Actor, logo_id: UUID) -> None:
    """Print no logo any more; documents made before keep theirs. Raises NotFound."""
    if not Logo.objects.filter(pk=logo_id).exists():
        raise NotFound("There is no such logo.")
    if Logo.objects.filter(pk=logo_id, removed_at=None).update(removed_at=actor.now):
        record(actor, "remove_logo", "logo", logo_id)


def _made(actor: Actor, paper: Paper, page_count: int, document_id: UUID | None) -> MadeDocument:
    content, subject = content_of(paper), paper.subject
    given = {"id": document_id} if document_id else {}
    return MadeDocument(
        kind=paper.kind, client_id=paper.client_id, invoice_id=subject.invoice_id, payment_id=subject.payment_id,
        first_on=subject.first_on, last_on=subject.last_on, title=paper.identity[:200], made_at=actor.now,
        made_by_name=actor.person_name[:120], content=content, logo_id=paper.letterhead.logo_id,
        sha256=sha256_of(content), page_count=page_count, **given,
    )  # fmt: skip
