"""Organization, Activity Log: what was done, by whom, to what. It lies here because `audit` is below the pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from daysheet.audit.looking import views_of_client
from daysheet.audit.queries import NOBODY, Activity, ActivityFilters, in_words, matching_events
from daysheet.audit.registry import client_names
from daysheet.audit.verbs import VERBS
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.staff.models import StaffMember
from daysheet.web.fields import DayField, DayRangeForm
from daysheet.web.pages import practice_url_or_none
from daysheet.web.paging import page_of
from daysheet.web.requests import actor_of
from daysheet.web.views import render_page

#: Pages of a client's record, as their menus call them.
_PAGE_WORDS = {
    "clients:details": "Details",
    "clients:bill_to": "Bill To & Insurance Info",
    "payments:ledger": "Ledger",
    "schedule:client_appointments": "Appointments",
    "documents:client_documents": "Documents",
    "invoicing:invoice": "Invoice",
    "audit:record_views": "Who Looked",
}

#: Where an object is shown: the page and the name of its id in the address, and what opening it needs.
_PAGES = {
    "appointment": ("schedule:appointment", "appointment", Permission.DEFAULT),
    "batch": ("invoicing:batch_run", "batch", Permission.BILLING),
    "mailing": ("mailings:run", "mailing", Permission.BILLING),
    "message": ("mail:message", "message", Permission.BILLING),
    "location": ("practices:location", "location", Permission.ADMINISTRATOR),
    "payer": ("clients:insurer", "payer", Permission.BILLING),
    "payment": ("payments:payment", "payment", Permission.BILLING),
    "service_type": ("services:edit", "service_type", Permission.ADMINISTRATOR),
    "staff_member": ("staff:details", "staff_member", Permission.ADMINISTRATOR),
}


class ActivityFilterForm(DayRangeForm):
    """Who, what and when. Lives in the address, so that a search can be shared."""

    who = forms.ChoiceField(label="Person", required=False)
    verb = forms.ChoiceField(label="What", required=False)
    from_on = DayField(label="From", required=False)
    to_on = DayField(label="To", required=False)

    def __init__(self, *args: Any, people: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        verbs = sorted(((name, verb.label) for name, verb in VERBS.items()), key=lambda pair: pair[1])
        for name, choices in (("who", [*people, (NOBODY, "Daysheet itself")]), ("verb", verbs)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", "Any"), *choices]


@query(Permission.ADMINISTRATOR)
def people_choices(actor: Actor) -> list[tuple[str, str]]:
    """Everybody who works or worked here, by name."""
    people = StaffMember.objects.order_by(Lower("last_name"), Lower("first_name"), "pk")
    return [(str(person.pk), f"{person.last_name}, {person.first_name}") for person in people]


@require_safe
def activity_log(request: HttpRequest) -> HttpResponse:
    """The log, newest first, a page at a time."""
    actor = actor_of(request)
    form = ActivityFilterForm(request.GET, people=people_choices(actor))
    if not form.is_valid():
        return render_page(request, "organization/activity_log.html", {"filters": form}, status=422)
    page = page_of(matching_events(actor, ActivityFilters(**form.cleaned_data)), request.GET.get("page"))
    rows = [(each, _url(actor, each), _client_url(actor, each)) for each in in_words(actor, page.rows)]
    context = {"filters": form, "page": page, "rows": rows, "is_filtered": any(form.cleaned_data.values())}
    return render_page(request, "organization/activity_log.html", context)


def _url(actor: Actor, activity: Activity) -> str | None:
    """Where the object is shown, as far as the reader may open it."""
    if activity.object_type == "invoice":
        may_open = activity.number and actor.may(Permission.BILLING)
        return practice_url_or_none(actor, "invoicing:invoice", number=activity.number) if may_open else None
    name, parameter, permission = _PAGES.get(activity.object_type, (None, "", Permission.DEFAULT))
    if name is None or not actor.may(permission):
        return None
    return practice_url_or_none(actor, name, **{parameter: UUID(activity.object_id)})


def _client_url(actor: Actor, activity: Activity) -> str | None:
    if activity.client_id is None:
        return None
    return practice_url_or_none(actor, "clients:details", client=activity.client_id)


@require_safe
def record_views(request: HttpRequest, client: UUID) -> HttpResponse:
    """Who opened this client's record, newest first."""
    actor = actor_of(request)
    page = page_of(views_of_client(actor, client), request.GET.get("page"))
    name = client_names(actor, [client]).get(client)
    if name is None:
        raise NotFound("There is no such client, or you are not assigned to the client.")
    rows = [(view, _page_words(view.page)) for view in page.rows]
    context = {"client_id": client, "client_name": name, "page": page, "rows": rows}
    return render_page(request, "organization/record_views.html", context)


def _page_words(page: str) -> str:
    return _PAGE_WORDS.get(page) or page.rpartition(":")[2].replace("_", " ").capitalize()


app_name = "audit"
urlpatterns = [
    path("organization/activity", activity_log, name="activity_log"),
    path("clients/<uuid:client>/views", record_views, name="record_views"),
]
