"""Filters and tags of `{% load daysheet %}`."""

import datetime
from typing import Any

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from daysheet.kit.money import Money
from daysheet.practices.actor import Actor, ActorKind, PracticeFacts
from daysheet.practices.permissions import Permission
from daysheet.web.templatetags import daysheet as tags

DAY = datetime.date(2026, 11, 23)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "$0.00"),
        (5, "$0.05"),
        (123450, "$1,234.50"),
        (-500, "−$5.00"),
        (Money(100000000), "$1,000,000.00"),
        (None, ""),
    ],
)
def test_money(value: Any, shown: str) -> None:
    assert tags.money(value) == shown


def test_credit_is_a_word() -> None:
    assert tags.credit(-500) == tags.money(Money(-500), "credit") == "$5.00 credit"
    assert tags.credit(500) == "$5.00"
    assert tags.credit(0) == "$0.00"


def test_dates_are_american_and_do_not_shift() -> None:
    late = datetime.datetime(2026, 11, 24, 3, 30, tzinfo=datetime.UTC)
    with timezone.override("America/New_York"):
        shown = Template("{% load daysheet %}{{ day|us_date }} {{ late|us_date }} {{ late|us_moment }}").render(
            Context({"day": DAY, "late": late})
        )
    assert shown == "11/23/2026 11/23/2026 11/23/2026 10:30 PM"
    assert tags.us_date(None) == tags.us_time(None) == ""
    assert tags.us_time(datetime.time(0, 5)) == "12:05 AM"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(41, "41 days"), (1, "1 day"), (0, "today"), (DAY - datetime.timedelta(days=1200), "1,200 days"), (DAY, "today")],
)
def test_age_days(value: Any, shown: str) -> None:
    assert tags.age_days(value, DAY) == shown


def test_the_age_of_a_date_needs_the_practices_day() -> None:
    with pytest.raises(ValueError, match="needs today"):
        tags.age_days(DAY)


def test_count() -> None:
    assert (tags.count(4000), tags.count(None)) == ("4,000", "")


def alice(*permissions: Permission) -> Actor:
    practice = PracticeFacts(1, "harbor", "Harbor Counseling", "America/New_York")
    now = datetime.datetime(2026, 11, 23, 15, tzinfo=datetime.UTC)
    return Actor(practice, ActorKind.PERSON, "Alice Moreno", frozenset(permissions), now)


def render(source: str, actor: Actor | None = None, query: str = "", **context: Any) -> str:
    request = RequestFactory().get(f"/harbor/{query}")
    if actor:
        request.actor = actor  # type: ignore[attr-defined]
    return Template("{% load daysheet %}" + source).render(Context({"request": request, **context}))


def test_qs_changes_the_query_string() -> None:
    assert render("{% qs page=2 %}", query="?q=ann&page=1") == "?q=ann&amp;page=2"
    assert render("{% qs q=None %}", query="?q=ann&page=1") == "?page=1"


def test_link_adds_the_practice(settings: Any) -> None:
    settings.ROOT_URLCONF = "daysheet.web.tests.urls"
    assert render("{% link 'clients:details' client=7 %}", alice()) == "/harbor/clients/7"
    assert render("[{% maybe_link 'claims:list' %}]", alice()) == "[]"
    with pytest.raises(ValueError, match="needs a request with an actor"):
        render("{% link 'clients:details' client=7 %}")


def test_the_side_menu_shows_what_the_actor_may_see_and_what_exists(settings: Any) -> None:
    settings.ROOT_URLCONF = "daysheet.web.tests.urls"
    source = "{% side_menu 'client' client=7 active='Ledger' %}"
    with_billing = render(source, alice(Permission.BILLING))
    assert '<a href="/harbor/ledger/7" aria-current="page">Ledger</a>' in with_billing
    assert "Details" in with_billing
    assert "Documents" not in with_billing
    without = render(source, alice())
    assert "Details" in without
    assert "Ledger" not in without
