"""What is agreed with one client about services."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from daysheet.clients.queries import get_client
from daysheet.practices.actor import Actor
from daysheet.services import actions, queries
from daysheet.services.forms import AgreementForm, NewAgreementForm
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of
from daysheet.web.views import see_other


def add_client_service(request: HttpRequest, client: UUID) -> HttpResponse:
    """Agree on a service with a client."""
    actor = actor_of(request)
    services = queries.services_without_agreement(actor, client)
    return form_page(
        request,
        NewAgreementForm(request.POST or None, services=services),
        "services/add_client_service.html",
        {"client": get_client(actor, client)},
        save=lambda typed: actions.set_client_service(actor, client, **typed),
        done="Saved. It holds for what is billed from now on.",
        back_url=_bill_to_url(actor, client),
    )


def edit_client_service(request: HttpRequest, client: UUID, service_type: UUID) -> HttpResponse:
    """Change what is agreed."""
    actor = actor_of(request)
    agreed = queries.client_service(actor, client, service_type)
    initial = {
        "is_default": agreed.is_default,
        "set_payment_amount_cents": agreed.set_payment_amount_cents,
    }
    return form_page(
        request,
        AgreementForm(request.POST or None, initial=initial),
        "services/edit_client_service.html",
        {"client": get_client(actor, client), "agreed": agreed},
        save=lambda typed: actions.set_client_service(actor, client, service_type, **typed),
        done="Saved. It holds for what is billed from now on.",
        back_url=_bill_to_url(actor, client),
    )


@require_POST
def remove_client_service(request: HttpRequest, client: UUID, service_type: UUID) -> HttpResponse:
    """Take an agreement back."""
    actor = actor_of(request)
    actions.set_client_service(actor, client, service_type)
    messages.success(request, "Removed: the service’s own rate holds again, and appointments do not begin with it.")
    return see_other(request, _bill_to_url(actor, client))


def _bill_to_url(actor: Actor, client: UUID) -> str:
    return practice_url(actor, "clients:bill_to", client=client)
