"""Hearing the processor: signature first, each message once, in any order (settling.py makes the order not matter)."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import IntegrityError, transaction

from daysheet.kit.dates import utc_now
from daysheet.kit.errors import NotFound, Refusal
from daysheet.practices.actor import Actor, PracticeFacts

from . import saving
from .charging import processor_actor
from .gateways.base import BadSignature, News, NewsKind
from .models import CardSetup, Charge, ChargeStep, ProcessorAccount, ProcessorMessage
from .opening import open_gateway
from .settling import take_news

_log = logging.getLogger("daysheet.cards")


class MessageRefused(Refusal):
    """The message cannot be read, or was not signed by the processor."""

    code = "message_refused"


def is_account(account_id: UUID) -> bool:
    """Whether messages to it are heard, in the caller's transaction."""
    return ProcessorAccount.objects.filter(pk=account_id).exists()


def hear(practice: PracticeFacts, account_id: UUID, body: bytes, signature: str) -> str:
    """Work one message off, in the caller's transaction. Returns what it meant. Raises NotFound, MessageRefused."""
    account = ProcessorAccount.objects.filter(pk=account_id).first()
    if account is None:
        raise NotFound("There is no such account.")
    now, gateway = utc_now(), open_gateway(practice, account)
    try:
        news = gateway.read_message(body, signature, now)
    except BadSignature as error:
        raise MessageRefused(str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        _log.warning("account %s: a signed message cannot be read", account_id, exc_info=True)
        raise MessageRefused("The message cannot be read.") from error
    return take_message(processor_actor(practice, now), account, news)


def take_message(actor: Actor, account: ProcessorAccount, news: News) -> str:
    """What a checked message does here; the same one again does nothing."""
    if ProcessorMessage.objects.filter(account=account, message_ref=news.message_ref[:200]).exists():
        return "Heard before"
    try:
        with transaction.atomic():
            outcome = _work_off(actor, account, news)
            ProcessorMessage.objects.create(
                account=account, message_ref=news.message_ref[:200], kind=str(news.kind), received_at=actor.now,
                outcome=outcome[:200],
            )  # fmt: skip
    except IntegrityError as error:
        # Its twin is being worked off in another transaction at this moment, and has just been committed.
        if "processor_message_once" in str(error):
            return "Heard before"
        raise
    return outcome


def _work_off(actor: Actor, account: ProcessorAccount, news: News) -> str:
    if news.kind is NewsKind.OTHER:
        return "Nothing to do"
    if news.kind is NewsKind.CARD_SAVED:
        setup = CardSetup.objects.filter(account=account, reference=news.setup_reference).first()
        if setup is None:
            return "A card that nobody here asked for"
        saving.ask(actor, setup)
        return "A card is stored"
    charge = _charge_of(account, news)
    return "A charge that is not ours" if charge is None else take_news(actor, charge, news)


def _charge_of(account: ProcessorAccount, news: News) -> Charge | None:
    charges = Charge.objects.filter(card__account=account).select_related("card")
    if news.charge_id:
        return charges.filter(pk=news.charge_id).first()
    step = ChargeStep.objects.filter(state="sent", reference=news.charge_reference).first()
    return charges.filter(pk=step.charge_id).first() if step and news.charge_reference else None
