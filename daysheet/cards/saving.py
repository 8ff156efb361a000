"""Storing a card once it was typed on the processor's page: told by webhook, or asked for by a person. Tokens only."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.clients.queries import lock_clients
from daysheet.database.scope import practice_transaction
from daysheet.jobs.actions import start_job
from daysheet.jobs.models import JobRun
from daysheet.jobs.registry import RunningJob
from daysheet.practices.actor import Actor, PracticeFacts

from .charging import processor_actor
from .models import CardSetup, StoredCard
from .opening import open_gateway

JOB_KIND = "card_setup"


def ask(actor: Actor, setup: CardSetup) -> None:
    """Queue the question to the processor, unless it is queued or answered already."""
    lock_clients([setup.client_id])
    live = JobRun.objects.filter(subject_id=setup.pk, state__in=["queued", "running"])
    if not live.exists() and not StoredCard.objects.filter(setup=setup).exists():
        start_job(actor, kind=JOB_KIND, subject_id=setup.pk, unit="cards", total_count=1)


def run_setup(job: RunningJob) -> None:
    """The job's part."""
    save_card(job.practice, job.subject_id, job.clock())


def save_card(practice: PracticeFacts, setup_id: UUID, now: datetime) -> None:
    """Ask for the card and store it, once."""
    with practice_transaction(practice.id):
        setup = CardSetup.objects.select_related("account").get(pk=setup_id)
        gateway = open_gateway(practice, setup.account)
    card = gateway.find_card(setup.reference)
    if card is None:
        return
    with practice_transaction(practice.id):
        lock_clients([setup.client_id])
        if StoredCard.objects.filter(setup=setup).exists():
            return
        actor = processor_actor(practice, now)
        stored = StoredCard.objects.create(
            setup=setup, client_id=setup.client_id, account=setup.account, customer=card.customer[:200],
            token=card.token[:200], brand=card.brand[:30], last4=card.last4, expires_month=card.expires_month,
            expires_year=card.expires_year, saved_at=actor.now,
        )  # fmt: skip
        record(actor, "store_card", "card", stored.pk, client_id=setup.client_id, card=stored.label)
