"""Organization → Automation: the switches, the rules, the nights."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from daysheet.practices.permissions import Permission
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of, page_number
from daysheet.web.views import render_page, see_other

from .. import actions
from ..forms import ExclusionForm, PlanForm
from ..queries import overview
from ..queries.choices import rule_choices
from ..recipients import may_get_summary

_SECTION = {"section": "Organization"}
_View = Callable[..., HttpResponse]


def _with_billing(view: _View) -> _View:
    """Changing automation needs what its invoices and claims need by hand: said before anything is typed."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        actor = actor_of(request)
        actor.require(Permission.ADMINISTRATOR)
        if not actor.may(Permission.BILLING):
            return render_page(request, "automation/needs_billing.html", _SECTION, status=422)
        return view(request, *args, **kwargs)

    return asked


@require_safe
def automation(request: HttpRequest) -> HttpResponse:
    """How it is set, what it leaves to people, and a page of nights."""
    actor = actor_of(request)
    page = page_number(request)
    rows, has_next = overview.nights(actor, page=page)
    context = {
        "plan": overview.plan_in_force(actor), "rules": overview.rules_in_words(actor), "nights": rows, "page": page,
        "has_next": has_next, "is_limited": actor.limited_to_assigned, "with_money": actor.may(Permission.BILLING),
    }  # fmt: skip
    return render_page(request, "automation/automation.html", context | _SECTION)


@_with_billing
def edit(request: HttpRequest) -> HttpResponse:
    """The switches."""
    actor = actor_of(request)
    plan = overview.plan_in_force(actor)
    people = [(person.pk, person.name) for person in may_get_summary()]
    initial: dict[str, Any] = {"starts_on": actor.today, "look_back_days": 7, "grouping": "client", "seen_version": 0}
    if plan:
        initial = {name: getattr(plan, name) for name in _OF_PLAN}
        initial |= {"recipients": [str(key) for key, _ in plan.recipients], "seen_version": plan.version}
    return form_page(
        request,
        PlanForm(request.POST or None, initial=initial, recipients=people),
        "automation/edit.html",
        {"plan": plan, **_SECTION},
        save=lambda typed: actions.save_plan(
            actor, _settings(typed), seen_version=typed["seen_version"], link_base=request.build_absolute_uri("/")[:-1]
        ),
        done="The settings of automation were saved.",
        back_url=practice_url(actor, "automation:automation"),
    )


@_with_billing
def add_rule(request: HttpRequest) -> HttpResponse:
    """New Rule."""
    actor = actor_of(request)
    choices = rule_choices(actor)
    form = ExclusionForm(request.POST or None, payers=choices.payers, staff=choices.staff, services=choices.services)
    return form_page(
        request,
        form,
        "automation/add_rule.html",
        _SECTION,
        save=lambda typed: actions.add_exclusion(
            actor, exclusion_id=typed["exclusion_id"], note=typed["note"], **form.conditions
        ),
        done="The rule holds from the next night on.",
        back_url=practice_url(actor, "automation:automation"),
    )


@_with_billing
@require_http_methods(["GET", "HEAD", "POST"])
def end_rule(request: HttpRequest, rule: UUID) -> HttpResponse:
    """End a rule: asks once, naming it."""
    actor = actor_of(request)
    shown = overview.get_rule(actor, rule)
    back_url = practice_url(actor, "automation:automation")
    if shown and request.method != "POST":
        return render_page(request, "automation/end_rule.html", {"rule": shown, **_SECTION})
    if shown and actions.end_exclusion(actor, exclusion_id=rule):
        messages.success(request, "The rule has ended. What it left out is looked at again the next night.")
    else:
        messages.info(request, "The rule had ended before. Nothing was changed.")
    return see_other(request, back_url)


_OF_PLAN = {"creates_invoices", "queues_claims", "starts_on", "look_back_days", "grouping"}


def _settings(typed: dict[str, Any]) -> actions.Settings:
    return actions.Settings(recipient_ids=frozenset(typed["recipients"]), **{name: typed[name] for name in _OF_PLAN})
