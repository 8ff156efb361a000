"""The verbs of documents: make one and keep what it said, and set how they look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from daysheet.audit.actions import Happening, record, record_many
from daysheet.clients.queries import get_client
from daysheet.clients.queries.access import lock_clients
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


class NothingToPrint(Refusal):
    """No document comes of what was asked for."""

    code = "nothing_to_print"


class ColourTooLight(Refusal):
    """Text in this colour could not be read on white paper."""

    code = "colour_too_light"


@action(Permission.BILLING, audited=False)
def make_documents(actor: Actor, *, request_id: UUID, papers: Sequence[Paper]) -> list[UUID]:
    """Keep what these papers of one client say as documents that were made; returns their ids. The same request twice
    makes nothing new. Raises NothingToPrint, OtherDocument, NotFound."""
    if not papers:
        raise NothingToPrint("There is nothing to print in this period. Choose other days.")
    client_id = papers[0].client_id
    get_client(actor, client_id)
    # One request at a time: a second click waits, and then finds what the first one made.
    lock_clients([client_id])
    made = list(MadeDocument.objects.filter(made_in=request_id).order_by("position").defer("content"))
    if not made:
        return [each.pk for each in keep_made(actor, papers, render_pdf(papers).page_counts, made_in=request_id)]
    if (made[0].client_id, made[0].kind) != (client_id, papers[0].kind):
        raise OtherDocument("This page made another document before. Load it anew and try again. Nothing was made.")
    return [each.pk for each in made]


def keep_made(
    actor: Actor, papers: Sequence[Paper], page_counts: Sequence[int], *, made_in: UUID, first_position: int = 0
) -> list[MadeDocument]:
    """Keep these papers as made by a run, inside the caller's action, with an audit event each: a fixed number of
    statements. `page_counts` is what rendering them answered; `made_in` with the positions is unique."""
    made = [
        _made(actor, paper, pages, made_in, position)
        for position, (paper, pages) in enumerate(zip(papers, page_counts, strict=True), start=first_position)
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


def _made(actor: Actor, paper: Paper, page_count: int, made_in: UUID, position: int) -> MadeDocument:
    content, subject = content_of(paper), paper.subject
    return MadeDocument(
        made_in=made_in, position=position, kind=paper.kind, client_id=paper.client_id, invoice_id=subject.invoice_id,
        payment_id=subject.payment_id, estimate_id=subject.estimate_id, first_on=subject.first_on,
        last_on=subject.last_on, title=paper.identity[:200], made_at=actor.now, made_by_name=actor.person_name[:120],
        content=content, logo_id=paper.letterhead.logo_id, sha256=sha256_of(content), page_count=page_count,
    )  # fmt: skip
