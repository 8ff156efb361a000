"""The entries behind the figures of a client, of an insurer and of a payment, as of any moment (M8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from daysheet.clients.queries import get_client, get_payer
from daysheet.practices.permissions import Permission
from daysheet.web.fields import DayField
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of, shows_record_of
from daysheet.web.views import render_page

from ..queries.entries import (
    CLIENT_FIGURES,
    PAYMENT_FIGURES,
    Figure,
    FigureEntries,
    Narrowed,
    entries_behind,
    entries_behind_insurer,
    entries_behind_payment,
    figures_of_insurers_seen,
)
from ..queries.payment import payment_view

_PAGE = "payments/entries.html"
_FORMATS = ["%Y-%m-%dT%H:%M", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M"]
Read = Callable[[Figure, Narrowed, int], FigureEntries]


class FigureForm(forms.Form):
    """Which figure, of which invoice, posted through which day, and as it stood when: a minute in practice time."""

    figure = forms.ChoiceField(label="Figure")
    invoice = forms.IntegerField(label="Invoice", required=False, min_value=1, max_value=2**62)
    until = DayField(label="Posted through", required=False)
    as_of = forms.DateTimeField(
        label="As it stood at",
        required=False,
        input_formats=_FORMATS,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    #: Not shown: filled in by the links behind figures.
    line = forms.UUIDField(required=False, widget=forms.HiddenInput)
    through = forms.UUIDField(required=False, widget=forms.HiddenInput)
    page = forms.IntegerField(required=False, min_value=1, max_value=10**6, widget=forms.HiddenInput)

    def __init__(self, *args: Any, figures: Sequence[Figure], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["figure"].choices = [(each.value, each.label) for each in figures]  # type: ignore[attr-defined]

    def narrowed(self) -> Narrowed:
        """What was asked for. The whole minute counts."""
        typed = self.cleaned_data
        before = typed["as_of"] + timedelta(minutes=1) if typed["as_of"] else None
        return Narrowed(
            typed["invoice"], typed["line"], typed["until"], typed["through"], before, typed.get("of_client"),
            typed.get("client", ""),
        )  # fmt: skip


class InsurerFigureForm(FigureForm):
    """And of which clients, where the figure is one of clients."""

    of_client = forms.UUIDField(required=False, widget=forms.HiddenInput)
    client = forms.CharField(label="Client", required=False, max_length=60)

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or self.cleaned_data
        is_narrowed = typed.get("client") or typed.get("of_client")
        if is_narrowed and typed.get("figure") not in (None, Figure.INSURANCE_DUE.value):
            self.add_error("client", "An insurer’s money belongs to no client. Leave this empty.")
        return typed


@require_safe
def entries(request: HttpRequest, client: UUID) -> HttpResponse:
    """Of a client, an invoice or a line."""
    actor = actor_of(request)
    actor.require(Permission.BILLING)
    shown = get_client(actor, client)
    ledger_url = practice_url(actor, "payments:ledger", client=client)
    context = {"client_id": client, "subject": shown.name, "back": "Ledger", "back_url": ledger_url}
    return _show(
        request, context, CLIENT_FIGURES, Figure.BALANCE,
        lambda figure, narrowed, page: entries_behind(actor, client, figure, narrowed, page=page),
    )  # fmt: skip


@require_safe
def payment_entries(request: HttpRequest, payment: UUID) -> HttpResponse:
    """Of a payment."""
    actor = actor_of(request)
    shown = payment_view(actor, payment)
    shows_record_of(request, shown.client_id)
    payment_url = practice_url(actor, "payments:payment", payment=payment)
    subject = f"payment of {shown.client_name}"
    context: dict[str, Any] = {
        "client_id": shown.client_id,
        "subject": subject,
        "back": "Payment",
        "back_url": payment_url,
    }
    context["names_clients"] = shown.client_id is None
    return _show(
        request, context, PAYMENT_FIGURES, Figure.RECEIVED,
        lambda figure, narrowed, page: entries_behind_payment(actor, payment, figure, narrowed, page=page),
    )  # fmt: skip


@require_safe
def insurer_entries(request: HttpRequest, payer: UUID) -> HttpResponse:
    """Of an insurer: over all clients the actor may see, those searched for, or one."""
    actor = actor_of(request)
    shown = get_payer(actor, payer)
    insurer_url = practice_url(actor, "clients:insurer", payer=payer)
    context = {
        "subject": shown.name,
        "back": "Insurer",
        "back_url": insurer_url,
        "is_insurers": True,
        "names_clients": True,
        "section": "Billing",
    }
    return _show(
        request, context, figures_of_insurers_seen(actor), Figure.INSURANCE_DUE,
        lambda figure, narrowed, page: entries_behind_insurer(actor, payer, figure, narrowed, page=page),
        InsurerFigureForm,
    )  # fmt: skip


def _show(
    request: HttpRequest,
    context: dict[str, Any],
    figures: Sequence[Figure],
    usual: Figure,
    read: Read,
    kind: type[FigureForm] = FigureForm,
) -> HttpResponse:
    """The sum and its entries, newest first."""
    asked = request.GET.copy()
    asked.setdefault("figure", usual.value)
    form = kind(asked, figures=figures)
    context["form"] = form
    if not form.is_valid():
        return render_page(request, _PAGE, context, status=422)
    figure, narrowed = Figure(form.cleaned_data["figure"]), form.narrowed()
    if narrowed.client_id:
        shows_record_of(request, narrowed.client_id)
    more = {
        "found": read(figure, narrowed, form.cleaned_data["page"] or 1),
        "figure_label": figure.label,
        "narrowed": narrowed,
        "as_of": form.cleaned_data["as_of"],
    }
    return render_page(request, _PAGE, context | more)
