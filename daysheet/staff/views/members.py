"""Staff: list, add, details, edit; inviting somebody to make a login."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from daysheet.kit.errors import Refusal
from daysheet.practices.permissions import Permission
from daysheet.staff import actions
from daysheet.staff.forms import InviteForm, NewStaffMemberForm, StaffFilterForm, StaffMemberForm
from daysheet.staff.queries.invitations import latest_invitation
from daysheet.staff.queries.members import get_staff_member, matching_staff, staff_details
from daysheet.staff.registry import assigned_clients, staff_sections
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.paging import page_of
from daysheet.web.requests import actor_of
from daysheet.web.views import render_page, see_other

_LINK = "invitation_link"


@require_safe
def staff_list(request: HttpRequest) -> HttpResponse:
    """Staff members, with search and paging."""
    actor = actor_of(request)
    filters = StaffFilterForm(request.GET)
    page = page_of(
        matching_staff(actor, request.GET.get("q", ""), active=filters.active), request.GET.get("page"), size=50
    )
    return render_page(request, "staff/list.html", {"filters": filters, "page": page})


def add(request: HttpRequest) -> HttpResponse:
    """New Staff Member."""
    actor = actor_of(request)
    actor.require(Permission.ADMINISTRATOR)
    return form_page(
        request,
        NewStaffMemberForm(request.POST or None, actor=actor),
        "staff/edit.html",
        {},
        save=lambda typed: actions.add_staff_member(actor, **typed),
        done="The staff member was added.",
        back_url=lambda person: practice_url(actor, "staff:details", staff_member=person.pk),
    )


@require_safe
def details(request: HttpRequest, staff_member: UUID) -> HttpResponse:
    """A staff member: facts, permissions, login, licences, assigned clients."""
    actor = actor_of(request)
    shown = staff_details(actor, staff_member)
    link = request.session.pop(_LINK, None)
    context = {
        "shown": shown,
        "person": shown.person,
        "invitation": latest_invitation(actor, staff_member),
        "invite_form": InviteForm(),
        "link": link["url"] if link and link["for"] == str(staff_member) else "",
        "clients": assigned_clients(actor, staff_member),
        "sections": staff_sections(actor, staff_member) if shown.person.is_provider else [],
        "now": actor.now,
    }
    return render_page(request, "staff/details.html", context)


def edit(request: HttpRequest, staff_member: UUID) -> HttpResponse:
    """Edit a staff member."""
    actor = actor_of(request)
    person = get_staff_member(actor, staff_member)
    before = {name: getattr(person, name) for name in StaffMemberForm.base_fields}
    return form_page(
        request,
        StaffMemberForm(request.POST or None, actor=actor, person=person, initial=before),
        "staff/edit.html",
        {"person": person},
        save=lambda typed: actions.edit_staff_member(actor, staff_member, **typed),
        done="The staff member was saved.",
        back_url=practice_url(actor, "staff:details", staff_member=staff_member),
    )


@require_POST
def invite(request: HttpRequest, staff_member: UUID) -> HttpResponse:
    """Send a link, and show it once on the page that follows."""
    actor = actor_of(request)
    get_staff_member(actor, staff_member)
    form = InviteForm(request.POST)
    back = practice_url(actor, "staff:details", staff_member=staff_member)
    if not form.is_valid():
        return see_other(request, back)

    def link_for(token: str) -> str:
        path = reverse("staff:join", kwargs={"practice": actor.practice.slug, "token": token})
        return request.build_absolute_uri(path)

    try:
        sent = actions.invite_staff_member(actor, staff_member, link_for=link_for, **form.cleaned_data)
    except actions.CannotInvite as refusal:
        return _refused_on_details(request, refusal, back)
    if sent.token:
        request.session[_LINK] = {"for": str(staff_member), "url": link_for(sent.token)}
    messages.success(request, "The invitation was sent.")
    return see_other(request, back)


@require_POST
def withdraw_invitation(request: HttpRequest, staff_member: UUID) -> HttpResponse:
    """Make the open link stop working."""
    actor = actor_of(request)
    actions.withdraw_invitation(actor, staff_member)
    messages.success(request, "The invitation was withdrawn: its link no longer works.")
    return see_other(request, practice_url(actor, "staff:details", staff_member=staff_member))


def _refused_on_details(request: HttpRequest, refusal: Refusal, back: str) -> HttpResponse:
    return render_page(request, "staff/refused.html", {"refusal": refusal, "back_url": back}, status=422)
