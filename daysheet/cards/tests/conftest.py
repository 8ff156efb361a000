"""The card desk: Alder Clinic connected with a processor in this process."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from daysheet.cards import opening
from daysheet.cards.actions import connect_processor
from daysheet.cards.models import ProcessorAccount
from daysheet.cards.simulator.core import Outgoing, Processor
from daysheet.cards.simulator.direct import DirectGateway
from daysheet.database.scope import practice_transaction
from tests.billing import Clinic, build_clinic
from tests.people import NOW, Cast

from .desk import API_KEY, CardDesk


def connect_desk(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> CardDesk:
    """Call inside Alder's transaction."""
    sent: list[Outgoing] = []
    processor = Processor(send=sent.append, slow_seconds=3600, clock=lambda: NOW)
    gateway = DirectGateway(processor, API_KEY)
    monkeypatch.setitem(opening._openers, "simulated", lambda practice, account: gateway)
    account = uuid4()
    connect_processor(clinic.owner, account_id=account, kind="simulated", api_key=API_KEY)
    return CardDesk(clinic, ProcessorAccount.objects.get(pk=account), processor, gateway, sent)


@pytest.fixture
def desk(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[CardDesk]:
    with practice_transaction(cast.alder.id):
        yield connect_desk(build_clinic(cast), monkeypatch)
