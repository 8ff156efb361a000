"""How documents look now, for Organization → Settings."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import DocumentSettings, Logo


@dataclass(frozen=True, slots=True)
class Look:
    """The settings, and the logo that is printed."""

    pay_to: str
    pay_to_label: str
    brand_colour: str
    message: str
    logo_id: UUID | None
    logo_alt: str


@query(Permission.ADMINISTRATOR)
def document_look(actor: Actor) -> Look:
    """As they are, or as they are before anybody changed them."""
    settings = DocumentSettings.objects.first() or DocumentSettings()
    logo = Logo.objects.filter(removed_at=None).defer("png").first()
    return Look(
        settings.pay_to, settings.get_pay_to_display(), settings.brand_colour, settings.message,
        logo.pk if logo else None, logo.alt if logo else "",
    )  # fmt: skip


@query(Permission.DEFAULT)
def logo_picture(actor: Actor, logo_id: UUID) -> bytes | None:
    """The PNG of a logo, also of one that only older documents bear."""
    png = Logo.objects.filter(pk=logo_id).values_list("png", flat=True).first()
    return bytes(png) if png is not None else None
