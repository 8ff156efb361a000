"""From a practice's account to the gateway that speaks with its processor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.urls import reverse

from daysheet.practices.actor import PracticeFacts

from .gateways.base import CardGateway
from .gateways.simulated import SimulatedGateway
from .gateways.stripe import StripeGateway
from .models import ProcessorAccount
from .sealing import unseal

Opener = Callable[[PracticeFacts, ProcessorAccount], CardGateway]


def open_gateway(practice: PracticeFacts, account: ProcessorAccount) -> CardGateway:
    """The gateway of an account. Raises CannotUnseal."""
    return _openers[account.kind](practice, account)


@contextmanager
def gateways_from(opener: Opener) -> Iterator[None]:
    """Inside, the simulated processor's gateways come from `opener`: tests, and loading the demo."""
    before = _openers[ProcessorAccount.Kind.SIMULATED]
    _openers[ProcessorAccount.Kind.SIMULATED] = opener
    try:
        yield
    finally:
        _openers[ProcessorAccount.Kind.SIMULATED] = before


def webhook_path(practice: PracticeFacts, account: ProcessorAccount) -> str:
    """Where the processor sends its messages."""
    return reverse("cards:webhook", kwargs={"practice": practice.slug, "account": account.pk})


def _simulated(practice: PracticeFacts, account: ProcessorAccount) -> CardGateway:
    key = unseal(account.api_key_sealed)
    return SimulatedGateway(settings.CARD_SIMULATOR_URL, key, webhook_path(practice, account))


def _stripe(practice: PracticeFacts, account: ProcessorAccount) -> CardGateway:
    return StripeGateway(unseal(account.api_key_sealed), unseal(account.webhook_secret_sealed))


_openers: dict[str, Opener] = {
    ProcessorAccount.Kind.SIMULATED: _simulated,
    ProcessorAccount.Kind.STRIPE: _stripe,
}
