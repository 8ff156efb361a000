"""The demo's card processor: the simulated one, with stored cards of clients who owe something."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import cycle
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings

from daysheet.cards.actions import connect_processor, start_card_setup
from daysheet.cards.models import ProcessorAccount, StoredCard
from daysheet.cards.opening import gateways_from, webhook_path
from daysheet.cards.saving import save_card
from daysheet.cards.simulator.core import Processor
from daysheet.cards.simulator.direct import DirectGateway
from daysheet.clients.models import Client
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.models import InvoiceLine
from daysheet.practices.actor import Actor

_CARDS = 40
#: Most cards are good; each kind of trouble is there to be seen.
_BEHAVIOURS = ("ok", "ok", "ok", "declined", "ok", "ok", "slow", "ok", "ok", "lost", "ok", "expired")


def simulator_file() -> str:
    """Where the demo's processor keeps its charges; `daysheet demo` runs it on the same file."""
    settings.DATA_FOLDER.mkdir(parents=True, exist_ok=True)
    return str(settings.DATA_FOLDER / "card-simulator.sqlite3")


def store_cards(actor: Actor, now: datetime, progress: Callable[[str], None]) -> None:
    """Connect the simulated processor and store cards, as people would. Harmless to repeat."""
    processor = Processor(simulator_file())
    key = f"sim_{actor.practice.slug}"
    with gateways_from(lambda practice, account: DirectGateway(processor, key, webhook_path(practice, account))):
        with practice_transaction(actor.practice.id):
            if not ProcessorAccount.objects.exists():
                account_id = uuid5(NAMESPACE_URL, f"{actor.practice.slug}/processor")
                connect_processor(actor, account_id=account_id, kind="simulated", api_key=key)
            owing = InvoiceLine.objects.filter(client_open_cents__gt=0).values("client_id")
            found = Client.objects.filter(pk__in=owing).order_by("last_name", "first_name", "pk")
            wanted = list(found.values_list("pk", flat=True)[:_CARDS])
        for client_id, behaviour in zip(wanted, cycle(_BEHAVIOURS)):
            with practice_transaction(actor.practice.id):
                if StoredCard.objects.filter(client_id=client_id).exists():
                    continue
                setup_id = uuid5(client_id, "card")
                page = start_card_setup(actor, setup_id=setup_id, client_id=client_id, return_url="/")
            processor.choose_card(page.rsplit("/", 1)[1], behaviour)
            save_card(actor.practice, setup_id, now)
    progress(f"{actor.practice.name}: {len(wanted):,} stored cards")
