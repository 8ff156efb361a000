"""Credit that is already there, put on open lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from uuid import uuid4

import pytest

from daysheet.clients.models import Client
from daysheet.database.scope import practice_transaction
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.ledger import queries as ledger
from daysheet.ledger.tests.test_post_and_reverse import at_once
from daysheet.payments.actions import NoCredit, RequestKeyReused, apply_credit
from daysheet.payments.models import Payment
from daysheet.payments.rules import AppliedMoreThanDue, AppliedMoreThanReceived, LineNotOpen
from daysheet.practices.actor import Actor
from tests.people import Cast

from .desk import a_client, bill, lines_of, open_of, pay


@pytest.fixture
def bob(cast: Cast) -> Iterator[Actor]:
    with practice_transaction(cast.alder.id):
        yield cast.actor(cast.bob)


@pytest.fixture
def ana(bob: Actor) -> Client:
    return a_client(bob)


def test_the_money_received_first_is_used_first(bob: Actor, ana: Client) -> None:
    later = pay(bob, ana.pk, 5_000, received_on=date(2026, 10, 15))
    first = pay(bob, ana.pk, 3_000, received_on=date(2026, 10, 1))
    invoice = bill(bob, ana.pk, 4_000, 9_000)
    line, other = lines_of(invoice)
    applied = apply_credit(bob, request_key=uuid4(), client_id=ana.pk, applications={line: 4_000})
    assert set(applied.applications) == {(first.payment_id, line, 3_000), (later.payment_id, line, 1_000)}
    assert open_of(invoice) == [0, 9_000]
    rest = apply_credit(bob, request_key=uuid4(), client_id=ana.pk)
    assert rest.applications == ((later.payment_id, other, 4_000),)
    assert not Payment.objects.filter(unapplied_cents__gt=0).exists()
    assert ledger.client_balances(bob, ana.pk).balance_cents == 5_000


def test_the_same_form_twice_applies_once(bob: Actor, ana: Client) -> None:
    pay(bob, ana.pk, 3_000)
    invoice = bill(bob, ana.pk, 1_000)
    request = {"request_key": uuid4(), "client_id": ana.pk, "applications": {lines_of(invoice)[0]: 600}}
    first = apply_credit(bob, **request)  # type: ignore[arg-type]
    again = apply_credit(bob, **request)  # type: ignore[arg-type]
    assert (again.applications, again.is_repeat, open_of(invoice)) == (first.applications, True, [400])
    with pytest.raises(RequestKeyReused):
        apply_credit(bob, **request | {"applications": {lines_of(invoice)[0]: 100}})  # type: ignore[arg-type]


def test_more_than_there_is_or_than_is_due_is_refused(bob: Actor, ana: Client) -> None:
    invoice = bill(bob, ana.pk, 5_000)
    [line] = lines_of(invoice)
    with pytest.raises(NoCredit):
        apply_credit(bob, request_key=uuid4(), client_id=ana.pk)
    pay(bob, ana.pk, 3_000, applications={})
    with pytest.raises(AppliedMoreThanReceived, match=r"only \$30.00 of credit"):
        apply_credit(bob, request_key=uuid4(), client_id=ana.pk, applications={line: 3_001})
    pay(bob, ana.pk, 9_000, applications={})
    with pytest.raises(AppliedMoreThanDue):
        apply_credit(bob, request_key=uuid4(), client_id=ana.pk, applications={line: 5_001})
    with pytest.raises(LineNotOpen):
        apply_credit(bob, request_key=uuid4(), client_id=ana.pk, applications={uuid4(): 100})
    with pytest.raises(LineNotOpen, match="Nothing was chosen"):
        apply_credit(bob, request_key=uuid4(), client_id=ana.pk, applications={})
    assert open_of(invoice) == [5_000]


def test_credit_of_one_client_never_pays_for_another(cast: Cast, bob: Actor, ana: Client) -> None:
    pay(bob, ana.pk, 3_000)
    other = a_client(bob, "Other")
    [line] = lines_of(bill(bob, other.pk, 900))
    with pytest.raises(LineNotOpen):
        apply_credit(bob, request_key=uuid4(), client_id=ana.pk, applications={line: 900})
    with pytest.raises(NotAllowed):
        apply_credit(cast.actor(cast.dan), request_key=uuid4(), client_id=ana.pk)
    with practice_transaction(cast.birch.id), pytest.raises(NotFound):
        apply_credit(cast.actor(cast.charlie), request_key=uuid4(), client_id=ana.pk)


@pytest.mark.race
def test_two_people_who_apply_the_same_credit_at_once_apply_it_once(live_cast: Cast) -> None:
    bob = live_cast.actor(live_cast.bob)
    with practice_transaction(live_cast.alder.id):
        client = a_client(bob)
    for _ in range(10):
        with practice_transaction(live_cast.alder.id):
            pay(bob, client.pk, 500, applications={})
            bill(bob, client.pk, 500)
        work = [lambda: apply_credit(bob, request_key=uuid4(), client_id=client.pk)] * 2
        assert sorted(at_once(live_cast, *work)) == ["done", "no_credit"]
