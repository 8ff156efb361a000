"""Who may see which run."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from daysheet.clients.queries import visible_clients
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import Mailing, MailingItem


@query(Permission.BILLING)
def visible_mailings(actor: Actor) -> QuerySet[Mailing]:
    """A person limited to assigned clients sees their own runs, as long as they may see every client in it: its file
    shows all of them (P1)."""
    if not actor.limited_to_assigned:
        return Mailing.objects.all()
    hidden = MailingItem.objects.filter(mailing_id=OuterRef("pk")).exclude(client__in=visible_clients(actor))
    return Mailing.objects.filter(~Exists(hidden), created_by_staff_member_id=actor.staff_member_id)


@query(Permission.BILLING)
def get_mailing(actor: Actor, mailing_id: UUID) -> Mailing:
    """One run. Raises NotFound where there is none this actor may see."""
    mailing = visible_mailings(actor).filter(pk=mailing_id).first()
    if mailing is None:
        raise NotFound("There is no such run in this practice.")
    return mailing
