"""How every correction is asked for: what and why, then its effect in numbers before it happens, then done. Where the
effect hangs on nothing that is typed, the first page shows it.

The effect is not computed a second way: the action itself runs in a savepoint that is rolled back, and the figures are
read on both sides of it. When it is done, it must have the effect that was shown: else it is shown again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from daysheet.clients.queries import get_client, lock_clients
from daysheet.kit.dates import us_date
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.ledger.books import first_open_day, hold_books
from daysheet.ledger.queries import has_posted_on
from daysheet.ledger.requests import is_carried_out
from daysheet.practices.actor import Actor
from daysheet.web.requests import actor_of, shows_record_of
from daysheet.web.views import refused, render_page, see_other

from ..actions import NoLongerThere
from ..forms import ReasonForm
from ..queries.effects import Effect, Figure, client_figures

_PAGE = "invoicing/correct.html"
Typed = Mapping[str, Any]
Measure = Callable[[Typed], list[Figure]]


@dataclass(frozen=True, slots=True)
class _Tried:
    """What an action did, and on which day it is posted; `is_done`: it was agreed to, and not taken back."""

    effect: Effect
    posted: str
    is_done: bool
    saved: Any


def correction_page(
    request: HttpRequest,
    form: ReasonForm,
    client_id: UUID | None,
    verb: str,
    back_url: str,
    save: Callable[[Typed], Any],
    *,
    about: str,
    danger: bool = False,
    done: Callable[[Any], str] | None = None,
    done_url: Callable[[Any], str] | None = None,
    measure: Measure | None = None,
    locks: Callable[[], Collection[UUID]] | None = None,
    at_once: Callable[[], Effect] | None = None,
    menu: str = "Batch Payments",
) -> HttpResponse:
    """Form → effect in numbers → done. A refusal is shown at either step with 422, and nothing was changed. `measure`
    reads the figures that the effect is shown in; the client's where it is None. `at_once`: the effect where it hangs
    on nothing that is typed: the form shows it, and is said Yes to as it is. Of no single client: `locks`, whose money
    it moves, and `menu`, where under Billing it belongs. `done`: what is said then."""
    actor = actor_of(request)
    shows_record_of(request, client_id)
    client_name = get_client(actor, client_id).name if client_id else ""
    context: dict[str, Any] = {
        "form": form, "client_id": client_id, "client_name": client_name, "verb": verb, "back_url": back_url,
        "about": about, "danger": danger, "at_once": at_once is not None, "menu": menu,
    }  # fmt: skip
    agreed = request.POST.get("agreed", "") if "confirmed" in request.POST else None
    if request.method != "POST":
        return render_page(request, _PAGE, context | _begun(at_once))
    if not form.is_valid():
        return refused(request, form, _PAGE, context | _begun(at_once, agreed))
    if "change" in request.POST:  # back from the effect, with what was typed
        return render_page(request, _PAGE, context)
    try:
        client_ids = locks() if locks else [client_id] if client_id else []
        tried = _tried(actor, client_ids, measure or of_client(actor, client_id), save, form.cleaned_data, agreed)
    except (NotFound, NotAllowed, NoLongerThere):
        raise
    except Refusal as refusal:
        form.told_of(refusal)
        return refused(request, form, _PAGE, context, message=refusal)
    # The second of two clicks, or the form of before, found by going back.
    is_repeat = not tried.is_done and is_carried_out(form.cleaned_data["request_key"])
    if not (tried.is_done or is_repeat):
        shown = context | _shown(tried.effect, agreed, tried.posted)
        return render_page(request, _PAGE, shown, status=422 if agreed is not None else 200)
    if is_repeat and agreed is None:
        messages.info(request, "This form had been saved already. Nothing was done twice.")
    else:
        said = done(tried.saved) if done else f"{verb}: done."
        messages.success(request, f"{said} {tried.posted}".strip())
    return see_other(request, done_url(tried.saved) if done_url else back_url)


def of_client(actor: Actor, client_id: UUID | None) -> Measure:
    assert client_id is not None
    return lambda _: client_figures(actor, client_id)


def effect_on_client(actor: Actor, client_id: UUID, work: Callable[[], Any]) -> Effect:
    """What it would do to the client's figures: by doing it, and taking it back."""
    return _tried(actor, [client_id], of_client(actor, client_id), lambda _: work(), {}, None).effect


def _begun(at_once: Callable[[], Effect] | None, agreed: str | None = None) -> dict[str, Any]:
    """What the form shows beside its fields: the effect, where it hangs on none of them, or why there is none."""
    if at_once is None:
        return {}
    try:
        return _shown(at_once(), agreed)
    except (NotFound, NotAllowed, NoLongerThere):
        raise
    except Refusal as refusal:
        return {"refusal": refusal.message}


def _shown(effect: Effect, agreed: str | None, posted: str = "") -> dict[str, Any]:
    has_moved = agreed is not None and agreed != effect.mark
    return {"effect": effect.rows, "agreed": effect.mark, "posted": posted, "has_moved": has_moved}


def _meant_for(actor: Actor, typed: Typed) -> date:
    """The day that was typed, or today."""
    for name in ("refunded_on", "received_on"):
        if name in typed:
            return cast(date, typed[name])
    return actor.today


def _posting_words(actor: Actor, meant_on: date) -> str:
    """On which day it is posted, where that is not the day it is meant for; empty otherwise, and where this request has
    posted nothing."""
    open_on = first_open_day(actor)
    if not open_on or meant_on >= open_on or not has_posted_on(actor, open_on):
        return ""
    return f"{us_date(meant_on)} is closed: this is posted on {us_date(open_on)}, the first open day."


def _tried(
    actor: Actor,
    client_ids: Collection[UUID],
    measure: Measure,
    save: Callable[[Typed], Any],
    typed: Typed,
    agreed: str | None,
) -> _Tried:
    """The effect, by doing it; taken back again where nobody has agreed to it, or to another one: somebody else moved
    the clients' money since it was shown. What others do meanwhile waits."""
    with transaction.atomic():
        if client_ids:  # of an insurer's payment they are locked by `save`: always clients first, then the books
            lock_clients(client_ids)
            hold_books(actor)
        before = measure(typed)
        saved = save(typed)
        effect = Effect(tuple(before), tuple(measure(typed)))
        posted = _posting_words(actor, _meant_for(actor, typed))
        is_done = agreed == effect.mark
        if not is_done:
            transaction.set_rollback(True)
    return _Tried(effect, posted, is_done, saved)
