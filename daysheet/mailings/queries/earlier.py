"""Runs begun a moment ago for the same people: two forms that were opened separately would send everything twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q

from daysheet.documents.papers import Kind
from daysheet.documents.rules import Period
from daysheet.jobs.models import LIVE_STATES, JobRun
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import Mailing, MailingItem
from .access import visible_mailings

#: How long after its beginning a run that is over is told of.
TOLD_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """A run with some of the same clients: `client_count` of them. `may_open`: its page is this person's to see."""

    id: UUID
    kind: Kind
    created_at: datetime
    created_by_name: str
    client_count: int
    is_live: bool
    may_open: bool


@query(Permission.BILLING)
def earlier_runs(actor: Actor, kind: Kind, period: Period, invoices: Mapping[UUID, Sequence[UUID]]) -> list[EarlierRun]:
    """The runs of this kind that are at work, or were begun within a day, in which these clients are: with a statement
    of some of the same days, or with some of the same invoices. Newest first; three statements."""
    live = JobRun.objects.filter(kind="mailing", state__in=LIVE_STATES).values("subject_id")
    at_work = Q(pk__in=live, finished_at=None)  # a job may also only make an old run's file again
    recent = Mailing.objects.filter(Q(created_at__gte=actor.now - TOLD_WITHIN) | at_work, kind=kind)
    items = MailingItem.objects.filter(client_id__in=list(invoices)).exclude(outcome=MailingItem.Outcome.SKIPPED)
    if kind is Kind.STATEMENT:
        recent = recent.filter(first_on__lte=period.last_on, last_on__gte=period.first_on)
    else:
        items = items.filter(invoice_ids__overlap=[each for ids in invoices.values() for each in ids])
    found = items.filter(mailing__in=recent.values("pk")).values("mailing_id").annotate(count=Count("pk"))
    counts: dict[UUID, int] = dict(found.order_by().values_list("mailing_id", "count"))
    if not counts:
        return []
    working = set(Mailing.objects.filter(at_work, pk__in=counts).values_list("pk", flat=True))
    seen = set(visible_mailings(actor).filter(pk__in=counts).values_list("pk", flat=True))
    return [
        EarlierRun(
            each.pk, kind, each.created_at, each.created_by_name, counts[each.pk], each.pk in working, each.pk in seen
        )
        for each in Mailing.objects.filter(pk__in=counts).order_by("-created_at", "-pk")
    ]
