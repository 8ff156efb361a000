"""What the organization's pages show."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Lower

from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.models import Location, Practice
from daysheet.practices.permissions import Permission


@query(Permission.ADMINISTRATOR)
def practice_settings(actor: Actor) -> Practice:
    """The actor's practice with all its facts."""
    return Practice.objects.get(pk=actor.practice.id)


@query(Permission.ORGANIZATION_ADMINISTRATOR)
def sign_in_rules(actor: Actor) -> Practice:
    """The same, for who may change what signing in takes."""
    return Practice.objects.get(pk=actor.practice.id)


@query(Permission.ADMINISTRATOR)
def locations(actor: Actor) -> QuerySet[Location]:
    """All locations, active ones first, by name."""
    return Location.objects.order_by("-is_active", Lower("name"), "pk")


@query(Permission.ADMINISTRATOR)
def get_location(actor: Actor, location_id: UUID) -> Location:
    """One location. Raises NotFound."""
    location = Location.objects.filter(pk=location_id).first()
    if location is None:
        raise NotFound("There is no such location.")
    return location
