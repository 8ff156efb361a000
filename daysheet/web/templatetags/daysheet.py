"""Filters and tags for Daysheet's pages: money, dates, links inside the practice, menus, query strings."""

import datetime
from typing import Any, Protocol

from django import template
from django.http import HttpRequest
from django.template import Context
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from daysheet.kit import dates
from daysheet.web import registry
from daysheet.web.menus import SIDE_MENUS, visible_links
from daysheet.web.pages import practice_url, practice_url_or_none, request_actor

register = template.Library()

MINUS = "\N{MINUS SIGN}"


class HasCents(Protocol):
    @property
    def cents(self) -> int: ...


@register.filter(is_safe=True)
def money(value: "int | HasCents | str | None", style: str = "") -> str:
    """`{{ cents|money }}` → `$1,234.50`, `−$5.00`; `{{ balance|money:"credit" }}` → `$5.00 credit` when negative."""
    cents = _cents(value)
    if cents is None:
        return ""
    if style == "credit" and cents < 0:
        return f"{_dollars(-cents)} credit"
    return f"{MINUS}{_dollars(-cents)}" if cents < 0 else _dollars(cents)


@register.filter(is_safe=True)
def credit(value: "int | HasCents | str | None") -> str:
    """A balance in which less than nothing means credit: `{{ balance|credit }}` → `$5.00 credit`."""
    return money(value, "credit")


@register.filter(is_safe=True)
def count(value: int | str | None) -> str:
    """`4000` → `4,000`."""
    return "" if value is None or value == "" else f"{int(value):,}"


@register.filter(expects_localtime=True, is_safe=True)
def us_date(value: datetime.date | None) -> str:
    """`11/23/2026`. A moment is shown as its day in the practice's time zone (the active one)."""
    return dates.us_date(value) if value else ""


@register.filter(expects_localtime=True, is_safe=True)
def us_time(value: datetime.datetime | datetime.time | None) -> str:
    """`9:30 AM`."""
    return value.strftime("%I:%M %p").lstrip("0") if value else ""


@register.filter(expects_localtime=True, is_safe=True)
def us_moment(value: datetime.datetime | None) -> str:
    """`11/23/2026 9:30 AM`."""
    return f"{us_date(value)} {us_time(value)}" if value else ""


@register.filter(is_safe=True)
def age_days(value: datetime.date | int | None, today: datetime.date | None = None) -> str:
    """`41 days`, of a number of days, or of a date as seen `today`: the practice's day, which the view knows."""
    if value is None or value == "":
        return ""
    if not isinstance(value, int) and today is None:
        raise ValueError("age_days of a date needs today: {{ day|age_days:today }}")
    days = value if isinstance(value, int) or today is None else (today - _day(value)).days
    return "today" if days == 0 else f"{days:,} day{'' if days == 1 else 's'}"


@register.simple_tag(takes_context=True)
def link(context: Context, name: str, **kwargs: Any) -> str:
    """`{% link 'clients:details' client=client.id %}`: the address of a page of this practice."""
    actor = request_actor(context.get("request"))
    if actor is None:
        raise ValueError(f"{{% link '{name}' %}} needs a request with an actor")
    return practice_url(actor, name, **kwargs)


@register.simple_tag(takes_context=True)
def maybe_link(context: Context, name: str, **kwargs: Any) -> str:
    """Like `link`, but empty when no slice serves that page: `{% maybe_link 'claims:list' as url %}{% if url %}`."""
    actor = request_actor(context.get("request"))
    return (practice_url_or_none(actor, name, **kwargs) if actor else None) or ""


@register.simple_tag(takes_context=True)
def active(context: Context, name: str) -> SafeString:
    """`<a href="…"{% active 'schedule:agenda' %}>`: ` aria-current="page"` on that page; a namespace works too."""
    match = getattr(context.get("request"), "resolver_match", None)
    if match is not None and name in (match.view_name, *match.namespaces):
        return SafeString(' aria-current="page"')
    return SafeString("")


@register.simple_tag(takes_context=True)
def qs(context: Context, **changes: Any) -> str:
    """`<a href="{% qs page=2 %}">`: this page's query string with changes; `None` or empty takes one out."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    for key, value in changes.items():
        if value is None or value == "":
            query.pop(key, None)
        else:
            query[key] = str(value)
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def home_panels(context: Context) -> SafeString:
    """`{% home_panels %}`: what higher slices say on the home page to this person; usually nothing."""
    request = context.get("request")
    actor = request_actor(request)
    panels = registry.home_panels(actor) if actor else []
    parts = [render_to_string(panel.template, {"panel": panel.context}, request=request) for panel in panels]
    return SafeString("".join(parts))


@register.inclusion_tag("web/parts/side_menu.html", takes_context=True)
def side_menu(context: Context, menu: str, active: str = "", label: str = "", **kwargs: Any) -> dict[str, Any]:
    """`{% side_menu 'client' client=client.id %}`: a menu of `web/menus.py`; `active` (a label) marks by hand."""
    request = context.get("request")
    actor = request_actor(request)
    match = getattr(request, "resolver_match", None)
    current = active or (match.view_name if match is not None else "")
    items = visible_links(actor, SIDE_MENUS[menu], current=current, kwargs=kwargs) if actor else ()
    return {"items": items, "label": label or f"{menu.capitalize()} menu"}


def _cents(value: "int | HasCents | str | None") -> int | None:
    if value is None or value == "":  # A name the template does not know is an empty text.
        return None
    if isinstance(value, str):
        raise TypeError(f"“{value}” is text, not cents or Money")
    return value if isinstance(value, int) else value.cents


def _dollars(cents: int) -> str:
    return f"${cents // 100:,}.{cents % 100:02d}"


def _day(value: datetime.date) -> datetime.date:
    if isinstance(value, datetime.datetime):
        return timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return value
