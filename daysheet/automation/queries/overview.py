"""Organization → Automation: how it is set, what it leaves to people, which night comes next, which were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Count, Max, Q, Sum

from daysheet.invoicing.queries.batch_history import BatchSummary, live_totals_of, summaries_of
from daysheet.kit.dates import NIGHT_HOUR, local_date, local_moment, us_date
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import AutomationPlan, ExclusionRule, LeftOut, Night, NightClaim, SummaryRecipient
from ..rules import next_night

NIGHTS_A_PAGE = 25
#: So long after a night's hour nobody wonders any more whether the clock has come round.
_PATIENCE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PlanView:
    """The settings in force. `overdue_on`: a night whose hour has long come and which nobody has begun."""

    version: int
    made_at: datetime
    made_by_name: str
    creates_invoices: bool
    queues_claims: bool
    starts_on: date
    look_back_days: int
    grouping: str
    grouping_label: str
    recipients: tuple[tuple[UUID, str], ...]
    next_night_on: date
    overdue_on: date | None

    @property
    def is_on(self) -> bool:
        return self.creates_invoices or self.queues_claims


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule in words: (what, which) for each condition, all of which must hold."""

    id: UUID
    note: str
    scope: str
    conditions: tuple[tuple[str, str], ...]
    made_at: datetime
    made_by_name: str


@dataclass(frozen=True, slots=True)
class NightRow:
    """One night. `live_cents` is what stands of its invoices now; None for people without Billing (P2)."""

    id: UUID
    night_on: date
    started_at: datetime
    made_up_on: date | None
    from_on: date
    to_on: date
    state: str
    created_count: int
    refused_count: int
    left_out_count: int
    claim_count: int
    live_cents: int | None


@query(Permission.ADMINISTRATOR)
def plan_in_force(actor: Actor) -> PlanView | None:
    """The newest settings; None before the first."""
    plan = AutomationPlan.objects.order_by("-version").first()
    if plan is None:
        return None
    recipients = SummaryRecipient.objects.filter(plan=plan).select_related("staff_member").order_by("staff_member")
    last_on = Night.objects.aggregate(last=Max("night_on"))["last"]
    night_on = next_night(last_on, plan.first_night_on)
    hour = night_moment(actor, night_on)
    is_open = Night.objects.filter(finished_at=None).exists()
    return PlanView(
        plan.version, plan.made_at, plan.made_by_name, plan.creates_invoices, plan.queues_claims, plan.starts_on,
        plan.look_back_days, plan.grouping, plan.get_grouping_display(),
        tuple((each.staff_member_id, each.staff_member.name) for each in recipients), night_on,
        night_on if plan.is_on and not is_open and actor.now > hour + _PATIENCE else None,
    )  # fmt: skip


def night_moment(actor: Actor, night_on: date) -> datetime:
    """When a night's hour comes in the practice."""
    return local_moment(night_on, time(NIGHT_HOUR), actor.practice.time_zone)


@query(Permission.ADMINISTRATOR)
def rules_in_words(actor: Actor) -> list[RuleView]:
    """The exclusion rules in force, oldest first."""
    rules = ExclusionRule.objects.filter(ended_at=None).select_related("payer", "staff_member", "service_type")
    return [rule_view(rule) for rule in rules.order_by("made_at", "pk")]


@query(Permission.ADMINISTRATOR)
def get_rule(actor: Actor, exclusion_id: UUID) -> RuleView | None:
    """One rule in force; None where it has ended. Raises NotFound."""
    rules = ExclusionRule.objects.filter(pk=exclusion_id)
    rule = rules.select_related("payer", "staff_member", "service_type").first()
    if rule is None:
        raise NotFound("There is no such rule.")
    return None if rule.ended_at else rule_view(rule)


def rule_view(rule: ExclusionRule) -> RuleView:
    """A rule with its relations loaded, in words."""
    scopes = {(True, True): "Invoices and claims", (True, False): "Invoices", (False, True): "Claims"}
    return RuleView(
        rule.pk, rule.note, scopes[rule.for_invoices, rule.for_claims], tuple(_conditions(rule)), rule.made_at,
        rule.made_by_name,
    )  # fmt: skip


@query(Permission.ADMINISTRATOR)
def nights(actor: Actor, *, page: int = 1) -> tuple[list[NightRow], bool]:
    """One page of nights, newest first, and whether there are older ones. Whoever is limited to assigned clients sees
    none: a night is about everybody's (P1)."""
    if actor.limited_to_assigned:
        return [], False
    start = (max(page, 1) - 1) * NIGHTS_A_PAGE
    found = list(Night.objects.order_by("-night_on")[start : start + NIGHTS_A_PAGE + 1])
    return night_rows(actor, found[:NIGHTS_A_PAGE]), len(found) > NIGHTS_A_PAGE


def night_rows(actor: Actor, found: Sequence[Night]) -> list[NightRow]:
    """Nights with their counts. A fixed number of queries."""
    ids = [night.pk for night in found]
    batch_ids = [night.batch_id for night in found if night.batch_id]
    batches = summaries_of(batch_ids)
    totals = live_totals_of(batch_ids) if actor.may(Permission.BILLING) else None
    left = dict(LeftOut.objects.filter(night__in=ids).values_list("night").annotate(n=Count("pk")).order_by())
    claims = {
        night_id: (queued or 0, refused)
        for night_id, queued, refused in NightClaim.objects.filter(night__in=ids)
        .values_list("night")
        .annotate(queued=Sum("claim_count"), refused=Count("pk", filter=~Q(code="")))
        .order_by()
    }
    return [
        _night_row(
            actor, night, batches.get(night.batch_id) if night.batch_id else None,
            None if totals is None else totals.get(night.batch_id, 0) if night.batch_id else 0, left.get(night.pk, 0),
            *claims.get(night.pk, (0, 0)),
        )
        for night in found
    ]  # fmt: skip


def _night_row(
    actor: Actor,
    night: Night,
    batch: BatchSummary | None,
    live_cents: int | None,
    left_out: int,
    claims: int,
    refused_claims: int,
) -> NightRow:
    ran_on = local_date(night.started_at, actor.practice.time_zone)
    return NightRow(
        id=night.pk,
        night_on=night.night_on,
        started_at=night.started_at,
        made_up_on=ran_on if ran_on > night.night_on else None,
        from_on=night.from_on,
        to_on=night.to_on,
        state="Stopped" if night.has_stopped else "Finished" if night.finished_at else "Running",
        created_count=batch.created_count if batch else 0,
        refused_count=(batch.refused_count if batch else 0) + refused_claims,
        left_out_count=left_out,
        claim_count=claims,
        live_cents=live_cents,
    )


def _conditions(rule: ExclusionRule) -> list[tuple[str, str]]:
    service = rule.service_type
    named = [
        ("Insurer", rule.payer.name if rule.payer else ""),
        ("Staff", rule.staff_member.name if rule.staff_member else ""),
        ("Service type", service.label if service else ""),
        ("Pays by", rule.get_pays_by_display() if rule.pays_by else ""),
        ("Status", rule.get_status_display() if rule.status else ""),
        ("Dates of service", _range(rule.from_on, rule.to_on)),
    ]
    return [(what, which) for what, which in named if which]


def _range(from_on: date | None, to_on: date | None) -> str:
    if from_on and to_on:
        return us_date(from_on) if from_on == to_on else f"{us_date(from_on)} to {us_date(to_on)}"
    return f"from {us_date(from_on)} on" if from_on else f"up to {us_date(to_on)}" if to_on else ""
