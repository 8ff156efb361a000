"""The calendar feed: the page where a provider makes, replaces and stops the address, and the file behind it.

Calendar applications do not sign in: the secret in the address is the key. It is never written into a log (a line names
the route, not the address), and neither are names: the file holds none.
"""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from daysheet.kit.dates import utc_now
from daysheet.kit.errors import Refusal
from daysheet.practices.actor import Actor, PracticeFacts
from daysheet.staff.middleware import Door, public_in_practice
from daysheet.staff.registry import StaffSection
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of, missed_too_often, too_many, wait_a_minute
from daysheet.web.views import refused, render_page, see_other

from .. import feeds, queries
from ..forms import FeedForm
from ..ical import fingerprint, ical_file

_PAGE = "schedule/calendar_feed.html"
#: Readings in a minute of one feed; calendars ask a few times an hour.
MOST_READINGS = 30


@require_http_methods(["GET", "HEAD", "POST"])
def calendar_feed(request: HttpRequest) -> HttpResponse:
    """One's own address for other calendars. A POST makes it anew and shows it, this once."""
    actor = actor_of(request)
    context: dict[str, Any] = {"feed": feeds.my_feed(actor), "renders": feeds.renders_services(actor)}
    if request.method != "POST":
        return render_page(request, _PAGE, {**context, "form": FeedForm()})
    form = FeedForm(request.POST)
    if not form.is_valid():
        return refused(request, form, _PAGE, context)
    try:
        token = feeds.make_feed(actor, **form.cleaned_data)
    except Refusal as refusal:
        return refused(request, form, _PAGE, context, message=refusal)
    context["feed"], context["was_shown"] = feeds.my_feed(actor), token is None
    context["feed_url"] = _address(request, actor, token) if token else ""
    context["subscribe_url"] = re.sub(r"^https?:", "webcal:", context["feed_url"])
    return render_page(request, _PAGE, {**context, "form": FeedForm()})


@require_POST
def stop_calendar_feed(request: HttpRequest) -> HttpResponse:
    """Make one's own address stop working."""
    actor = actor_of(request)
    feeds.stop_my_feed(actor)
    messages.success(request, "The address no longer works. Calendars that used it show nothing new.")
    return see_other(request, practice_url(actor, "schedule:calendar_feed"))


@require_POST
def stop_feed_of(request: HttpRequest, staff_member: UUID) -> HttpResponse:
    """Make another person's address stop working."""
    actor = actor_of(request)
    feeds.stop_feed(actor, staff_member)
    messages.success(request, "The calendar address no longer works.")
    return see_other(request, practice_url(actor, "staff:details", staff_member=staff_member))


def feed_section(actor: Actor, staff_member_id: UUID) -> StaffSection:
    """The part of a provider's page under Staff."""
    facts = {"of_id": staff_member_id, "feed": feeds.feed_of(actor, staff_member_id)}
    return StaffSection("schedule/parts/feed_section.html", facts)


@public_in_practice(Door(missed=missed_too_often("feed")))
@require_safe
def feed(request: HttpRequest, feed: str) -> HttpResponseBase:
    """The file: 304 where the calendar has it already, 404 where the address opens nothing, 429 where it asks on and
    on."""
    practice: PracticeFacts = request.practice  # type: ignore[attr-defined]
    opened = feeds.open_feed(practice, feed, utc_now())
    if too_many(f"feed-{opened.feed_id}", MOST_READINGS, utc_now()):
        return wait_a_minute()
    name = f"Schedule of {opened.actor.person_name}"
    events = queries.feed_events(
        opened.actor,
        shows_initials=opened.shows_initials,
        url_of=lambda appointment: request.build_absolute_uri(
            practice_url(opened.actor, "schedule:appointment", appointment=appointment)
        ),
    )
    etag = f'"{fingerprint(name, events)}"'
    answer = get_conditional_response(request, etag=etag) or HttpResponse(
        ical_file(name, events), content_type="text/calendar; charset=utf-8"
    )
    answer["ETag"] = etag
    answer["Cache-Control"] = "private, no-cache"
    answer["X-Robots-Tag"] = "noindex"
    answer["Content-Disposition"] = 'inline; filename="schedule.ics"'
    return answer


def _address(request: HttpRequest, actor: Actor, token: str) -> str:
    return request.build_absolute_uri(reverse("schedule:feed", kwargs={"practice": actor.practice.slug, "feed": token}))
