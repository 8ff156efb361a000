"""What an insurer pays and wants: fee schedule, modifiers and places of service. Rows are shown with the day on which
they end, which is never stored: it is the day on which the next one begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar
from uuid import UUID

from django.db.models import Count, Q
from django.db.models.functions import Lower

from daysheet.clients.models import Payer
from daysheet.clients.queries import get_payer
from daysheet.clients.rules import in_force
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import PayerRate, PayerRule

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class PayerRateRow:
    """A payer's rate of one service on [starts_on, ends_on). `end_id`: the row that ends it, where nothing follows."""

    id: UUID
    service_type_id: UUID
    code: str
    label: str
    service_rate_cents: int
    rate_cents: int
    starts_on: date
    ends_on: date | None
    end_id: UUID | None
    is_in_force: bool
    is_over: bool


@dataclass(frozen=True, slots=True)
class PayerRuleRow:
    """A payer's rule on [starts_on, ends_on). `service`: label, or empty for all service types."""

    id: UUID
    service: str
    place_of_service: str
    added_modifiers: tuple[str, ...]
    billed_place_of_service: str
    starts_on: date
    ends_on: date | None
    end_id: UUID | None
    is_in_force: bool
    is_over: bool


@dataclass(frozen=True, slots=True)
class PayerPrices:
    """Everything about one insurer's prices. `over_count`: rates and rules that have ended and are left out."""

    id: UUID
    name: str
    rates: tuple[PayerRateRow, ...]
    rules: tuple[PayerRuleRow, ...]
    over_count: int


@query(Permission.ADMINISTRATOR)
def payer_prices(actor: Actor, payer_id: UUID, *, with_ended: bool = False) -> PayerPrices:
    """The page on which an insurer's prices are changed. Raises NotFound."""
    payer = priced_payer(actor, payer_id)
    rates, rules = _rate_rows(payer_id, actor.today), _rule_rows(payer_id, actor.today)
    standing = [rate for rate in rates if not rate.is_over], [rule for rule in rules if not rule.is_over]
    shown_rates, shown_rules = (rates, rules) if with_ended else standing
    over = len(rates) - len(standing[0]) + len(rules) - len(standing[1])
    return PayerPrices(payer.pk, payer.name, tuple(shown_rates), tuple(shown_rules), 0 if with_ended else over)


@query(Permission.ADMINISTRATOR)
def priced_payer(actor: Actor, payer_id: UUID) -> Payer:
    """The insurer whose prices are changed. Raises NotFound."""
    payer = Payer.objects.filter(pk=payer_id).first()
    if payer is None:
        raise NotFound("There is no such insurer.")
    return payer


@query(Permission.BILLING)
def payer_rates(actor: Actor, payer_id: UUID) -> list[PayerRateRow]:
    """The fee schedule of an insurer, by code and newest first. Raises NotFound."""
    get_payer(actor, payer_id)
    return _rate_rows(payer_id, actor.today)


@query(Permission.BILLING)
def payer_rules(actor: Actor, payer_id: UUID) -> list[PayerRuleRow]:
    """Modifiers and places of service that an insurer wants, by service type and place. Raises NotFound."""
    get_payer(actor, payer_id)
    return _rule_rows(payer_id, actor.today)


@query(Permission.ADMINISTRATOR)
def get_payer_rate(actor: Actor, rate_id: UUID) -> PayerRate:
    """One rate of a fee schedule, with its insurer and service. Raises NotFound."""
    rate = PayerRate.objects.filter(pk=rate_id).select_related("payer", "service_type").first()
    if rate is None:
        raise NotFound("There is no such rate.")
    return rate


@query(Permission.ADMINISTRATOR)
def get_payer_rule(actor: Actor, rule_id: UUID) -> PayerRule:
    """One rule, with its insurer and service. Raises NotFound."""
    rule = PayerRule.objects.filter(pk=rule_id).select_related("payer", "service_type").first()
    if rule is None:
        raise NotFound("There is no such rule.")
    return rule


@dataclass(frozen=True, slots=True)
class PricedPayer:
    """An insurer in the list of those with prices. Counts of what holds today or will."""

    id: UUID
    name: str
    is_active: bool
    rate_count: int
    rule_count: int


@query(Permission.ADMINISTRATOR)
def priced_payers(actor: Actor) -> list[PricedPayer]:
    """Every insurer by name, with how many services have a rate of its own and how many cases a rule."""
    rates = PayerRate.objects.filter(rate_cents__isnull=False).values("payer_id")
    services = dict(rates.annotate(n=Count("service_type_id", distinct=True)).values_list("payer_id", "n"))
    wanted = PayerRule.objects.filter(is_end=False).values("payer_id").annotate(n=Count("pk"))
    rules = dict(wanted.values_list("payer_id", "n"))
    payers = Payer.objects.filter(Q(is_active=True) | Q(pk__in=[*services, *rules]))
    return [
        PricedPayer(payer.pk, payer.name, payer.is_active, services.get(payer.pk, 0), rules.get(payer.pk, 0))
        for payer in payers.order_by(Lower("name"), "pk")
    ]


def _rate_rows(payer_id: UUID, today: date) -> list[PayerRateRow]:
    rows = PayerRate.objects.filter(payer_id=payer_id).select_related("service_type")
    ordered = list(rows.order_by(Lower("service_type__code"), "service_type_id", "-starts_on"))
    return [
        PayerRateRow(
            row.pk,
            row.service_type_id,
            row.service_type.code,
            row.service_type.label,
            row.service_type.rate_cents,
            row.rate_cents,
            row.starts_on,
            following.starts_on if following else None,
            following.pk if following and following.rate_cents is None else None,
            in_force(row.starts_on, following.starts_on if following else None, today),
            following is not None and following.starts_on <= today,
        )
        for row, following in _with_following(ordered, lambda rate: rate.service_type_id)
        if row.rate_cents is not None
    ]


def _rule_rows(payer_id: UUID, today: date) -> list[PayerRuleRow]:
    rows = PayerRule.objects.filter(payer_id=payer_id).select_related("service_type")
    ordered = list(
        rows.order_by(Lower("service_type__code").asc(nulls_first=True), "service_type_id", "place_of_service",
                      "-starts_on")
    )  # fmt: skip
    return [
        PayerRuleRow(
            row.pk,
            row.service_type.label if row.service_type else "",
            row.place_of_service,
            tuple(row.added_modifiers),
            row.billed_place_of_service,
            row.starts_on,
            following.starts_on if following else None,
            following.pk if following and following.is_end else None,
            in_force(row.starts_on, following.starts_on if following else None, today),
            following is not None and following.starts_on <= today,
        )
        for row, following in _with_following(ordered, lambda rule: (rule.service_type_id, rule.place_of_service))
        if not row.is_end
    ]


def _with_following(rows: Sequence[Row], case: Callable[[Row], object]) -> Iterable[tuple[Row, Row | None]]:
    """Each row with the one that takes its place; `rows` by case, the newest first."""
    for earlier, row in zip([None, *rows[:-1]] if rows else [], rows, strict=True):
        yield row, earlier if earlier is not None and case(earlier) == case(row) else None
