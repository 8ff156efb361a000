"""How every correction is asked for: what and why, then its effect in numbers before it happens, then done.

The effect is not computed a second way: the action itself runs in a savepoint that is rolled back, and the figures are
read on both sides of it. When it is done, it must have the effect that was shown: else it is shown again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from daysheet.clients.queries import get_client, lock_clients
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.ledger.books import hold_books
from daysheet.ledger.requests import is_carried_out
from daysheet.practices.actor import Actor
from daysheet.web.requests import actor_of, shows_record_of
from daysheet.web.views import refused, render_page, see_other

from ..correction_forms import ReasonForm
from ..queries.effects import Effect, Figure, client_figures
from ..rules import NoLongerThere
from .told import posting_words

_PAGE = "payments/correct.html"
Typed = Mapping[str, Any]
Measure = Callable[[Typed], list[Figure]]


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
    done_url: Callable[[Any], str] | None = None,
    measure: Measure | None = None,
) -> HttpResponse:
    """Form → effect in numbers → done. A refusal is shown at either step with 422, and nothing was changed. `measure`
    reads the figures that the effect is shown in; the client's where it is None."""
    actor = actor_of(request)
    shows_record_of(request, client_id)
    client_name = get_client(actor, client_id).name if client_id else ""
    context: dict[str, Any] = {
        "form": form, "client_id": client_id, "client_name": client_name, "verb": verb, "back_url": back_url,
        "about": about, "danger": danger,
    }  # fmt: skip
    if request.method != "POST":
        return render_page(request, _PAGE, context)
    if not form.is_valid():
        return refused(request, form, _PAGE, context)
    if "change" in request.POST:  # back from the effect, with what was typed
        return render_page(request, _PAGE, context)
    typed = form.cleaned_data
    agreed = request.POST.get("agreed", "") if "confirmed" in request.POST else None
    try:
        effect, posted, is_done, saved = _tried(
            actor, client_id, measure or of_client(actor, client_id), save, typed, agreed
        )
        # The second of two clicks, or the form of before, found by going back.
        is_repeat = not is_done and is_carried_out(typed["request_key"])
        if not (is_done or is_repeat):
            shown = {**context, "effect": effect.rows, "agreed": effect.mark, "posted": posted, "has_moved": agreed}
            return render_page(request, _PAGE, shown, status=422 if agreed else 200)
    except (NotFound, NotAllowed, NoLongerThere):
        raise
    except Refusal as refusal:
        form.told_of(refusal)
        return refused(request, form, _PAGE, context, message=refusal)
    if is_repeat and agreed is None:
        messages.info(request, "This form had been saved already. Nothing was done twice.")
    else:
        messages.success(request, f"{verb}: done. {posted}".strip())
    return see_other(request, done_url(saved) if done_url else back_url)


def of_client(actor: Actor, client_id: UUID | None) -> Measure:
    assert client_id is not None
    return lambda _: client_figures(actor, client_id)


def _meant_for(actor: Actor, typed: Typed) -> date:
    """The day that was typed, or today."""
    for name in ("refunded_on", "received_on"):
        if name in typed:
            return cast(date, typed[name])
    return actor.today


def _tried(
    actor: Actor,
    client_id: UUID | None,
    measure: Measure,
    save: Callable[[Typed], Any],
    typed: Typed,
    agreed: str | None,
) -> tuple[Effect, str, bool, Any]:
    """The effect, by doing it, and on which day it is posted; taken back again where nobody has agreed to it, or to
    another one: somebody else moved the client's money since it was shown. What others do meanwhile waits."""
    with transaction.atomic():
        if client_id:  # of an insurer's payment the clients are locked by `save`: always clients first, then the books
            lock_clients([client_id])
            hold_books(actor)
        before = measure(typed)
        saved = save(typed)
        effect = Effect(tuple(before), tuple(measure(typed)))
        posted = posting_words(actor, _meant_for(actor, typed))
        is_kept = agreed == effect.mark
        if not is_kept:
            transaction.set_rollback(True)
    return effect, posted, is_kept, saved
