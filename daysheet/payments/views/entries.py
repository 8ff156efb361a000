"""The entries behind a client's figures, as of any moment (M8)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from daysheet.clients.queries import get_client
from daysheet.practices.permissions import Permission
from daysheet.web.requests import actor_of
from daysheet.web.views import render_page

from ..queries.entries import Figure, entries_behind

_FORMATS = ["%Y-%m-%dT%H:%M", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M"]


class FigureForm(forms.Form):
    """Which figure, of which invoice, and as it stood when: a minute in practice time."""

    figure = forms.ChoiceField(label="Figure", choices=[(each.value, each.label) for each in Figure])
    invoice = forms.IntegerField(label="Invoice", required=False, min_value=1, max_value=2**62)
    as_of = forms.DateTimeField(
        label="As it stood at",
        required=False,
        input_formats=_FORMATS,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    page = forms.IntegerField(required=False, min_value=1, max_value=10**6, widget=forms.HiddenInput)


@require_safe
def entries(request: HttpRequest, client: UUID) -> HttpResponse:
    """The sum and its entries, newest first."""
    actor = actor_of(request)
    actor.require(Permission.BILLING)
    shown = get_client(actor, client)
    asked = request.GET.copy()
    asked.setdefault("figure", Figure.BALANCE.value)
    form = FigureForm(asked)
    context = {"client": shown, "form": form, "section": "Clients"}
    if not form.is_valid():
        return render_page(request, "payments/entries.html", context, status=422)
    typed = form.cleaned_data
    found = entries_behind(
        actor,
        client,
        Figure(typed["figure"]),
        invoice_number=typed["invoice"],
        known_before=typed["as_of"] + timedelta(minutes=1) if typed["as_of"] else None,
        page=typed["page"] or 1,
    )
    more = {"found": found, "label": Figure(typed["figure"]).label, "as_of": typed["as_of"], "number": typed["invoice"]}
    return render_page(request, "payments/entries.html", {**context, **more})
