"""How every correction is asked for: what and why, then its effect in numbers before it happens, then done.

The effect is not computed a second way: the action itself runs in a savepoint that is rolled back, and the figures are
read on both sides of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse

from daysheet.clients.queries import get_client
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.practices.actor import Actor
from daysheet.web.requests import actor_of
from daysheet.web.views import refused, render_page, see_other

from ..queries.effects import Figure, client_figures
from ..rules import NoLongerThere
from .closed import posting_words

_PAGE = "payments/correct.html"
Typed = Mapping[str, Any]
Measure = Callable[[Typed], list[Figure]]


def correction_page(
    request: HttpRequest,
    form: Form,
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
    client_name = get_client(actor, client_id).name if client_id else ""
    context: dict[str, Any] = {
        "form": form, "client_id": client_id, "client_name": client_name, "verb": verb, "back_url": back_url,
        "about": about, "danger": danger,
    }  # fmt: skip
    if request.method != "POST":
        return render_page(request, _PAGE, context)
    if not form.is_valid():
        return refused(request, form, _PAGE, context)
    try:
        if "confirmed" not in request.POST:
            read = measure or of_client(actor, client_id)
            effect = _dry_run(lambda: read(form.cleaned_data), lambda: save(form.cleaned_data))
            posted = posting_words(actor, _meant_for(actor, form.cleaned_data))
            return render_page(request, _PAGE, {**context, "effect": effect, "posted": posted})
        saved = save(form.cleaned_data)
    except (NotFound, NotAllowed, NoLongerThere):
        raise
    except Refusal as refusal:
        return refused(request, form, _PAGE, context, message=refusal)
    messages.success(request, f"{verb}: done.")
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


def _dry_run(read: Callable[[], list[Figure]], save: Callable[[], Any]) -> list[tuple[str, int, int]]:
    """(figure, before, after) in cents, by doing it and taking it back."""
    before = read()
    with transaction.atomic():
        save()
        after = read()
        transaction.set_rollback(True)
    return [
        (old.label, old.cents, new.cents)
        for old, new in zip(before, after, strict=True)
        if not old.is_detail or old.cents != new.cents
    ]
