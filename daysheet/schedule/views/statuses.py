"""A visit's status, and the cancellation policy it follows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.services.queries import fee_choices
from daysheet.staff.registry import SettingsSection
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of, next_url, shows_record_of

from .. import policy as policies
from .. import queries, statuses
from ..forms import PRICED, PolicyForm, StatusForm
from ..models import CancellationPolicy, VisitStatus
from .days import agenda_url

_any_method = require_http_methods(["GET", "HEAD", "POST"])


@_any_method
def change_status(request: HttpRequest, visit: UUID) -> HttpResponse:
    """A visit's status, who initiated the change, and the fee; `?status=…` is ticked in advance."""
    actor = actor_of(request)
    page = queries.status_page(actor, visit)
    shows_record_of(request, page.visit.client_id)
    back_url = next_url(request, f"{agenda_url(actor, page.visit.service_on)}#visit-{visit}")
    form = StatusForm(request.POST or None, initial=_initial(page, request.GET.get("status", "")))
    return form_page(
        request,
        form,
        "schedule/change_status.html",
        {"page": page, "visit": page.visit, "back_url": back_url},
        save=lambda _: statuses.set_status(actor, visit_id=visit, **form.change),
        done="The status was changed.",
        back_url=back_url,
    )


@_any_method
def cancellation_policy(request: HttpRequest) -> HttpResponse:
    """Organization, Settings, Cancellation policy."""
    actor = actor_of(request)
    form = PolicyForm(request.POST or None, initial=_standing(actor), services=fee_choices(actor))
    return form_page(
        request,
        form,
        "schedule/cancellation_policy.html",
        {"section": "Organization"},
        save=lambda _: policies.set_cancellation_policy(actor, **form.policy),
        done="The cancellation policy was saved.",
        back_url=practice_url(actor, "practices:settings"),
    )


def policy_section(actor: Actor) -> SettingsSection:
    """The part of Organization → Settings."""
    policy = policies.cancellation_policy(actor)
    rows = [(VisitStatus(status).label, policy.fees.get(status), status in policy.automatic) for status in PRICED]
    return SettingsSection("schedule/parts/policy_section.html", {"notice_hours": policy.notice_hours, "rows": rows})


def _initial(page: queries.StatusPage, asked_for: str) -> dict[str, Any]:
    status = asked_for if asked_for in VisitStatus.values else page.visit.status
    fee = "waive" if page.fee_waived_reason else "charge" if page.has_fee else ""
    return {
        "status": status,
        "initiated_by": page.initiated_by,
        "fee": fee,
        "fee_waived_reason": page.fee_waived_reason,
    }


def _standing(actor: Actor) -> dict[str, Any]:
    """The policy as its form shows it."""
    actor.require(Permission.ADMINISTRATOR)
    policy = policies.cancellation_policy(actor)
    charges = CancellationPolicy.Charge
    initial: dict[str, Any] = {"notice_hours": policy.notice_hours}
    for status in PRICED:
        fee = policy.fees.get(status)
        initial[f"{status}_fee"] = str(fee.pk) if fee else ""
        initial[f"{status}_charge"] = charges.AUTOMATIC if status in policy.automatic else charges.ASK
    return initial
