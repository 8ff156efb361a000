"""Accepting an invitation: choosing a password, or joining with the login one has."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache

from daysheet.kit.dates import utc_now
from daysheet.kit.errors import NotFound, Refusal
from daysheet.practices.actor import PracticeFacts
from daysheet.practices.models import User
from daysheet.staff import actions
from daysheet.staff.forms import JoinForm
from daysheet.staff.logins import sign_in
from daysheet.staff.middleware import Door, public_in_practice
from daysheet.staff.queries.invitations import SeenInvitation, find_invitation
from daysheet.web.requests import missed_too_often
from daysheet.web.views import refused, render_page, see_other

_PAGE = "staff/join.html"


@public_in_practice(Door(missed=missed_too_often("join")))
@never_cache
def join(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind an invitation's link."""
    practice: PracticeFacts = request.practice  # type: ignore[attr-defined]
    seen = find_invitation(token, utc_now())
    if seen is None:
        raise NotFound("There is no such invitation.")
    context = {"seen": seen, "practice": practice}
    if seen.problem:
        return render_page(request, _PAGE, context, status=410)
    if seen.has_login:
        return _join_with_login(request, practice, seen, token)
    form = JoinForm(request.POST or None, email=seen.email)
    if request.method != "POST":
        return render_page(request, _PAGE, context | {"form": form})
    if not form.is_valid():
        return refused(request, form, _PAGE, context)
    try:
        user = actions.accept_invitation(practice, token, now=utc_now(), password=form.cleaned_data["password"])
    except Refusal as refusal:
        return refused(request, form, _PAGE, context, message=str(refusal))
    sign_in(request, user)
    return see_other(request, "/")


def _join_with_login(request: HttpRequest, practice: PracticeFacts, seen: SeenInvitation, token: str) -> HttpResponse:
    user = request.user if isinstance(request.user, User) else None
    is_right = user is not None and user.email.lower() == seen.email.lower()
    context = {"seen": seen, "practice": practice, "is_right": is_right}
    if request.method != "POST" or not is_right:
        return render_page(request, _PAGE, context)
    try:
        actions.accept_invitation(practice, token, now=utc_now(), user=user)
    except Refusal as refusal:
        return render_page(request, _PAGE, context | {"refusal": refusal}, status=422)
    return redirect("/")
