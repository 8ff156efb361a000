"""Organization: Settings, Locations; and every person's own account page."""

from __future__ import annotations

from uuid import UUID

from django.forms import Form, model_to_dict
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from daysheet.practices.permissions import Permission
from daysheet.staff.registry import settings_sections
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of
from daysheet.web.views import render_page

from . import actions, queries
from .forms import LocationForm, NewLocationForm, PracticeForm, SignInRulesForm


def settings(request: HttpRequest) -> HttpResponse:
    """The practice's facts."""
    actor = actor_of(request)
    practice = queries.practice_settings(actor)
    return form_page(
        request,
        PracticeForm(request.POST or None, initial=_initial(practice, PracticeForm)),
        "organization/settings.html",
        {
            "practice": practice,
            "sections": settings_sections(actor),
            "may_rule": actor.may(Permission.ORGANIZATION_ADMINISTRATOR),
        },
        save=lambda typed: actions.edit_practice(actor, **typed),
        done="The settings were saved.",
        back_url=practice_url(actor, "practices:settings"),
    )


def sign_in_rules(request: HttpRequest) -> HttpResponse:
    """What signing in takes."""
    actor = actor_of(request)
    practice = queries.sign_in_rules(actor)
    return form_page(
        request,
        SignInRulesForm(request.POST or None, initial=_initial(practice, SignInRulesForm)),
        "organization/sign_in_rules.html",
        {},
        save=lambda typed: actions.set_sign_in_rules(actor, **typed),
        done="The rules of signing in were saved.",
        back_url=practice_url(actor, "practices:settings"),
    )


@require_safe
def locations(request: HttpRequest) -> HttpResponse:
    """All locations."""
    actor = actor_of(request)
    return render_page(request, "organization/locations.html", {"locations": queries.locations(actor)})


def add_location(request: HttpRequest) -> HttpResponse:
    """New Location."""
    actor = actor_of(request)
    actor.require(Permission.ADMINISTRATOR)
    return form_page(
        request,
        NewLocationForm(request.POST or None),
        "organization/location.html",
        {},
        save=lambda typed: actions.add_location(actor, **typed),
        done="The location was added.",
        back_url=practice_url(actor, "practices:locations"),
    )


def location(request: HttpRequest, location: UUID) -> HttpResponse:
    """Edit a location."""
    actor = actor_of(request)
    row = queries.get_location(actor, location)
    return form_page(
        request,
        LocationForm(request.POST or None, initial=_initial(row, LocationForm)),
        "organization/location.html",
        {"location": row},
        save=lambda typed: actions.edit_location(actor, location, **typed),
        done="The location was saved.",
        back_url=practice_url(actor, "practices:locations"),
    )


@require_safe
def my_account(request: HttpRequest) -> HttpResponse:
    """One's own login: password, two-step sign-in, and what one may do here (to read, never to edit)."""
    actor = actor_of(request)
    held = [permission.label for permission in Permission if actor.may(permission)]
    return render_page(request, "organization/my_account.html", {"held": held})


def _initial(row: object, form: type[Form]) -> dict[str, object]:
    return model_to_dict(row, fields=list(form.base_fields))  # type: ignore[arg-type]
