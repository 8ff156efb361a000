"""Who writes: the practice or one of its locations, with logo and colour (D2). Four statements, whatever is asked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import UUID

from daysheet.clients.rules import address_lines
from daysheet.invoicing.models import Invoice
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.models import Location, Practice
from daysheet.practices.permissions import Permission

from ..models import DocumentSettings, Logo
from ..papers import Letterhead, one_line, text_lines


@dataclass(frozen=True, slots=True)
class Letterheads:
    """The practice's letterhead, and where documents name the location's address, those of locations that have one."""

    practice: Letterhead
    of_location: dict[UUID, Letterhead]
    message: str
    tax_id: str
    npi: str

    def at(self, location_id: UUID | None) -> Letterhead:
        """The letterhead for what was done at a location."""
        return self.of_location.get(location_id, self.practice) if location_id else self.practice

    def of_invoice(self, invoice: Invoice, location_id: UUID | None) -> Letterhead:
        """The practice as the invoice copied it when it was issued (B9), or the location."""
        if location_id in self.of_location:
            return self.of_location[location_id]
        lines = (*text_lines(invoice.practice_address), *_facts(invoice.practice_phone, invoice.practice_tax_id, ""))
        return replace(self.practice, name=one_line(invoice.practice_name), lines=lines)


@query(Permission.BILLING)
def letterheads(actor: Actor, location_ids: Collection[UUID | None] = ()) -> Letterheads:
    """Letterheads for documents about these locations."""
    practice = Practice.objects.get(pk=actor.practice.id)
    settings = DocumentSettings.objects.first() or DocumentSettings()
    logo = Logo.objects.filter(removed_at=None).first()
    own = Letterhead(
        name=one_line(practice.legal_name or practice.name),
        lines=(*_address(practice), *_facts(practice.phone, practice.tax_id, practice.npi)),
        pay_to_source="Pay-to address: the practice’s",
        colour=settings.brand_colour,
        logo_id=logo.pk if logo else None,
        logo_png=bytes(logo.png) if logo else None,
        logo_alt=one_line(logo.alt) if logo else "",
    )
    wanted = [pk for pk in location_ids if pk] if settings.pay_to == DocumentSettings.PayTo.LOCATION else []
    locations = Location.objects.filter(pk__in=wanted) if wanted else Location.objects.none()
    return Letterheads(
        practice=own,
        of_location={
            location.pk: _location_head(own, location, practice) for location in locations if _address(location)
        },
        message=one_line(settings.message),
        tax_id=practice.tax_id,
        npi=practice.npi,
    )


def _location_head(own: Letterhead, location: Location, practice: Practice) -> Letterhead:
    phone = location.phone or practice.phone
    lines = (*_address(location), *_facts(phone, practice.tax_id, location.npi or practice.npi))
    return replace(own, lines=lines, pay_to_source=f"Pay-to address: that of our location {one_line(location.name)}")


def _address(place: Practice | Location) -> tuple[str, ...]:
    street = ", ".join(part for part in (place.address_1, place.address_2) if part)
    lines = address_lines(street, "", place.city, place.state, place.postal_code)
    return tuple(one_line(line) for line in lines)


def _facts(phone: str, tax_id: str, npi: str) -> tuple[str, ...]:
    """One line, so that the letterhead ends above the envelope's window."""
    named = (("", phone), ("Tax ID ", tax_id), ("NPI ", npi))
    said = " · ".join(f"{label}{one_line(value)}" for label, value in named if value)
    return (said,) if said else ()
