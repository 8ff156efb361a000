"""Getting started: one page a step, until the first invoice is there."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of
from daysheet.web.views import refused, render_page, see_other

from . import actions, queries
from .rules import Progress, Step
from .steps import Asking, asking

#: Where a step's import template takes in many at once.
_IMPORTS = {
    Step.SERVICES: ("service_types", "Service Types"),
    Step.PROVIDER: ("staff", "Staff"),
    Step.CLIENT: ("clients", "Clients"),
    Step.APPOINTMENT: ("appointments", "Appointments"),
}
_PAGE = "first_hour/guide.html"


@require_safe
def guide(request: HttpRequest) -> HttpResponse:
    """The step that comes next; once there is none, what was reached and where to go from here."""
    actor = actor_of(request)
    stands = queries.where_it_stands(actor)
    if stands.has_invoice or stands.current is None:
        return _reached(request, actor, stands)
    return _show(request, actor, stands, stands.current, asking(actor, stands.current, None))


@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, step: str) -> HttpResponse:
    """One step, also one that was skipped or done before. Saved, it leads on to the next that is open."""
    actor = actor_of(request)
    wanted = _step(step)
    stands = queries.where_it_stands(actor)
    asked = asking(actor, wanted, request.POST if request.method == "POST" else None)
    if request.method != "POST" or asked is None:
        return _show(request, actor, stands, wanted, asked)
    context = _context(actor, stands, wanted, asked)
    if not asked.form.is_valid():
        return refused(request, asked.form, _PAGE, context)
    try:
        asked.save()
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return refused(request, asked.form, _PAGE, context, message=refusal)
    actions.take_guide_up(actor, step=wanted)
    messages.success(request, asked.done)
    again = "another" in request.POST
    return see_other(request, _url(actor, "step", step=wanted.value) if again else _url(actor, "guide"))


@require_POST
def skip(request: HttpRequest, step: str) -> HttpResponse:
    """Leave a step for later."""
    actor = actor_of(request)
    actions.skip_step(actor, step=_step(step))
    return see_other(request, _url(actor, "guide"))


@require_POST
def dismiss(request: HttpRequest) -> HttpResponse:
    """Put the guide away; Organization → Settings leads back to it."""
    actor = actor_of(request)
    actions.put_guide_away(actor)
    messages.info(request, "The guide was put away. You find it again under Organization, Settings.")
    return see_other(request, practice_url(actor, "schedule:agenda"))


@require_POST
def resume(request: HttpRequest) -> HttpResponse:
    """Take the guide up again."""
    actor = actor_of(request)
    actions.take_guide_up(actor)
    return see_other(request, _url(actor, "guide"))


def _show(request: HttpRequest, actor: Actor, stands: Progress, wanted: Step, asked: Asking | None) -> HttpResponse:
    context = _context(actor, stands, wanted, asked)
    return render_page(request, _PAGE, context | ({"form": asked.form} if asked else {}))


def _reached(request: HttpRequest, actor: Actor, stands: Progress) -> HttpResponse:
    invoice = queries.first_invoice(actor) if actor.may(Permission.BILLING) else None
    left = [row for row in stands.rows if row.state != "done"]
    return render_page(request, "first_hour/reached.html", {"stands": stands, "invoice": invoice, "left": left})


def _context(actor: Actor, stands: Progress, wanted: Step, asked: Asking | None) -> dict[str, Any]:
    may_bill = actor.may(Permission.BILLING)
    to_bill = queries.visits_to_bill(actor) if wanted is Step.INVOICE and may_bill else []
    return {
        "stands": stands, "step": wanted, "template": f"first_hour/steps/{wanted.value}.html",
        "number": list(Step).index(wanted) + 1, "imports": _IMPORTS.get(wanted), "may_bill": may_bill,
        "visits": to_bill, "guide_url": _url(actor, "guide"), **(asked.context if asked else {}),
    }  # fmt: skip


def _step(text: str) -> Step:
    try:
        return Step(text)
    except ValueError:
        raise NotFound("There is no such step.") from None


def _url(actor: Actor, name: str, **kwargs: str) -> str:
    return practice_url(actor, f"first_hour:{name}", **kwargs)
