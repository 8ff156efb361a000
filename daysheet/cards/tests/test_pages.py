"""Charge Cards, Stored Cards, Refund and Card Processor over HTTP."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client as Browser
from django.urls import reverse

from daysheet.cards.models import CardRefund, Charge, ChargeRun, ProcessorAccount, StoredCard
from daysheet.cards.sealing import CannotUnseal, unseal
from daysheet.payments.models import Payment
from daysheet.payments.tests.desk import pay
from daysheet.practices.models import User
from tests.pages import filled, words_of

from .desk import CardDesk, due, payment_of


@pytest.fixture
def bob(desk: CardDesk) -> Browser:
    return browser_of(desk.clinic.cast.bob.user_id)


def browser_of(user_id: int) -> Browser:
    browser = Browser()
    browser.force_login(User.objects.get(pk=user_id))
    return browser


def at(name: str, **kwargs: Any) -> str:
    return reverse(f"cards:{name}", kwargs={"practice": "alder", **kwargs})


def typed(*rows: tuple[UUID, UUID, str], run_id: UUID | None = None, **more: Any) -> dict[str, Any]:
    sent: dict[str, Any] = {"run_id": str(run_id or uuid4())}
    for client, card, amount in rows:
        sent |= {f"tick-{client}": "on", f"card-{client}": str(card), f"amount-{client}": amount}
    return sent | more


def test_who_owes_and_has_a_card_is_listed_and_ticked(desk: CardDesk, bob: Browser) -> None:
    ana, ben, free, cardless = (desk.client_owing(name) for name in ("Adams", "Brown", "Free", "Cardless"))
    desk.card(ana), desk.card(ben, "declined"), desk.card(free)
    pay(desk.biller, free, 4_000)
    pay(desk.biller, ben, 1_000, applications={})
    page = bob.get(at("charge_cards"))
    text = words_of(page)
    assert "Adams, Ana" in text and "Brown, Ana" in text and "Cardless" not in text and "Free, Ana" not in text
    html = page.content.decode()
    assert f'name="amount-{ana}" value="40.00"' in html and f'name="amount-{ben}" value="30.00"' in html
    assert len(re.findall(r'name="tick-[^>]* checked', html)) == 2
    assert "Brown, Ana" not in words_of(bob.get(at("charge_cards"), {"client": "adams"}))
    assert cardless and "Insurance Payment" in text and "History" in text


def test_the_dialogue_names_count_and_total_and_then_the_run_shows_each_fate(desk: CardDesk, bob: Browser) -> None:
    ana, ben = desk.client_owing("Adams"), desk.client_owing("Brown")
    rows = [(ana, desk.card(ana), "40.00"), (ben, desk.card(ben, "declined"), "15.00")]
    form = typed(*rows)
    asked = bob.post(at("charge_cards"), form)
    assert "Charge 2 cards? 2 cards are charged $55.00 in all." in words_of(asked)
    assert not ChargeRun.objects.exists()
    dialogue = bob.post(at("charge_cards"), form, HTTP_HX_REQUEST="true").content.decode()
    assert '<input type="hidden" name="expected_cents" value="5500" form="charge-form">' in dialogue
    sure = form | {"confirmed": "yes", "expected_count": "2", "expected_cents": "5500", "told_credit": "0"}
    done = bob.post(at("charge_cards"), sure)
    run = ChargeRun.objects.get()
    assert (done.status_code, done["Location"]) == (303, at("charge_run", run=run.pk))
    assert "0 of 2 cards" in words_of(bob.get(done["Location"]))
    desk.run(run.pk)
    again = bob.post(at("charge_cards"), sure)
    assert again["Location"] == done["Location"] and Charge.objects.count() == 2
    result = words_of(bob.get(done["Location"]))
    assert "Charged $40.00 1 card" in result and "Declined $15.00 1 card" in result and "Insufficient funds." in result
    retried = bob.post(at("retry", run=run.pk), {"new_run_id": str(uuid4())})
    assert ChargeRun.objects.count() == 2 and retried["Location"] != done["Location"]
    assert "a charge is not decided yet" in words_of(bob.get(at("charge_cards"))).lower()
    history = words_of(bob.get(at("history")))
    assert "$55.00 1 $40.00" in history


def test_what_changed_since_the_dialogue_is_asked_again(desk: CardDesk, bob: Browser) -> None:
    ana = desk.client_owing()
    form = typed((ana, desk.card(ana), "50.00"))
    sure = form | {"confirmed": "yes", "expected_count": "1", "expected_cents": "5000", "told_credit": "0"}
    asked = bob.post(at("charge_cards"), sure)
    assert "$10.00 of it is more than is due and will be kept as credit." in words_of(asked)
    assert not ChargeRun.objects.exists()
    assert bob.post(at("charge_cards"), sure | {"told_credit": "1000"}).status_code == 303


@pytest.mark.parametrize(("amount", "said"), [("0", "above zero"), ("", "above zero"), ("ten", "not an amount")])
def test_a_wrong_amount_charges_nobody(desk: CardDesk, bob: Browser, amount: str, said: str) -> None:
    ana = desk.client_owing()
    answer = bob.post(at("charge_cards"), typed((ana, desk.card(ana), amount)))
    assert (answer.status_code, said in words_of(answer)) == (422, True)
    empty = bob.post(at("charge_cards"), {"run_id": str(uuid4())})
    assert (empty.status_code, "Nobody is ticked" in words_of(empty)) == (422, True)
    assert not ChargeRun.objects.exists()


def test_a_card_is_stored_by_way_of_the_processors_page(desk: CardDesk, bob: Browser) -> None:
    ana = desk.client_owing()
    page = at("client_cards", client=ana)
    assert "never the number" in words_of(bob.get(page))
    opened = bob.post(page, {"setup_id": str(uuid4())})
    address = re.search(r'id="processor-page" href="([^"]+)"', opened.content.decode())
    assert address and "no card came from it yet" in words_of(opened)
    desk.processor.choose_card(address[1].rsplit("/", 1)[1], "ok")
    assert desk.hear(desk.last("card_saved")) == ["A card is stored"]
    from daysheet.cards.models import CardSetup
    from daysheet.cards.saving import run_setup

    setup = CardSetup.objects.get()
    run_setup(desk.job(setup.pk))
    run_setup(desk.job(setup.pk))
    text = words_of(bob.get(page))
    assert "Visa ending in 0001" in text and "12/2029" in text and StoredCard.objects.count() == 1
    assert bob.post(at("look", setup=setup.pk)).status_code == 303
    card = StoredCard.objects.get()
    assert "Remove Visa ending in 0001?" in words_of(bob.get(at("remove", card=card.pk)))
    assert "was removed" in words_of(bob.post(at("remove", card=card.pk), {"confirmed": "yes"}, follow=True))
    assert bob.get(at("remove", card=card.pk)).status_code == 404


def test_no_card_number_can_be_stored(desk: CardDesk, bob: Browser) -> None:
    columns = {field.name for model in (StoredCard, Charge) for field in model._meta.get_fields()}
    assert not {"number", "pan", "cvc", "cvv", "card_number"} & columns
    ana = desk.client_owing()
    desk.card(ana)
    html = bob.get(at("client_cards", client=ana)).content.decode()
    assert not re.search(r"\b(?:\d[ -]?){13,19}\b", re.sub(r"[0-9a-f-]{36}", "", html))


def test_one_clients_card_from_the_ledger(desk: CardDesk, bob: Browser) -> None:
    ana = desk.client_owing()
    assert "No stored card" in words_of(bob.get(at("charge_client", client=ana)))
    card = desk.card(ana)
    ledger = bob.get(reverse("payments:ledger", kwargs={"practice": "alder", "client": ana}))
    assert "Stored Cards" in words_of(ledger)
    form = typed((ana, card, "40.00"), confirmed="yes", expected_count="1", expected_cents="4000", told_credit="0")
    answer = bob.post(at("charge_client", client=ana), form)
    desk.run(ChargeRun.objects.get().pk)
    assert answer.status_code == 303 and due(ana) == 0


def test_a_refund_goes_through_the_processor_and_shows(desk: CardDesk, bob: Browser) -> None:
    ana = desk.client_owing()
    payment = payment_of(desk.charge(ana, desk.card(ana), 5_000, credit_cents=1_000))
    page = reverse("payments:payment", kwargs={"practice": "alder", "payment": payment.pk})
    html = bob.get(page).content.decode()
    assert f'href="{at("refund", payment=payment.pk)}"' in html
    assert ">Edit<" not in html and ">Delete<" not in html
    url = at("refund", payment=payment.pk)
    form = filled(bob.get(url).text, reason="Overpaid")
    assert form["amount"] == "10.00"
    assert bob.post(url, form | {"amount": "10.01"}).status_code == 422
    shown = bob.post(url, form)
    assert "Client Credit $10.00 $0.00" in words_of(shown) and not CardRefund.objects.exists()
    for _ in range(2):
        assert bob.post(url, filled(shown.text, confirmed="1")).status_code == 303
    assert CardRefund.objects.count() == 1
    assert "is waiting to be sent" in words_of(bob.get(page))
    desk.processor.dispute(desk.processor.charges()[0]["id"])
    desk.hear(desk.last("dispute_opened"))
    assert "Chargeback of $50.00" in words_of(bob.get(page))
    ledger = bob.get(reverse("payments:ledger", kwargs={"practice": "alder", "client": ana}))
    assert "the client’s bank took a card payment back" in words_of(ledger)


def test_the_processor_is_connected_by_an_administrator_and_its_secrets_are_sealed(
    desk: CardDesk, bob: Browser, settings: Any
) -> None:
    alice = browser_of(desk.clinic.cast.alice.user_id)
    assert bob.get(at("processor")).status_code == 403
    page = words_of(alice.get(at("processor")))
    assert "Simulated processor" in page and f"/alder/cards/webhook/{desk.account.pk}/" in page
    assert "Card Processor" in page
    form = {"account_id": str(uuid4()), "kind": "stripe", "api_key": "sk_secret_1234", "webhook_secret": ""}
    assert "without it no message can be believed" in words_of(alice.post(at("processor"), form))
    assert alice.post(at("processor"), form | {"webhook_secret": "whsec_5678", "api_key": "sim_x"}).status_code == 422
    done = alice.post(at("processor"), form | {"webhook_secret": "whsec_5678"}, follow=True)
    assert "is connected" in words_of(done) and "sk_secret" not in words_of(done)
    account = ProcessorAccount.objects.get(ended_at=None)
    assert unseal(account.api_key_sealed) == "sk_secret_1234"
    with connection.cursor() as cursor:
        cursor.execute("SELECT p::text FROM cards_processoraccount p")
        stored = " ".join(row[0] for row in cursor.fetchall())
    assert "sk_secret" not in stored and "whsec" not in stored and "sim_tests" not in stored
    settings.CARD_KEY = "another"
    with pytest.raises(CannotUnseal):
        unseal(account.api_key_sealed)


def test_a_practice_without_a_processor_is_told_so(desk: CardDesk) -> None:
    ProcessorAccount.objects.update(ended_at=desk.account.connected_at)
    alice = browser_of(desk.clinic.cast.alice.user_id)
    assert "No card processor is connected" in words_of(alice.get(at("charge_cards")))
    ana = desk.clinic.client()
    refused = alice.post(at("client_cards", client=ana), {"setup_id": str(uuid4())})
    assert refused.status_code == 422


def test_the_list_of_many_asks_a_fixed_number_of_questions(
    desk: CardDesk, bob: Browser, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        client = desk.client_owing(f"Client{number}")
        desk.card(client)
    with django_assert_max_num_queries(22):
        assert bob.get(at("charge_cards")).status_code == 200
    assert not Payment.objects.exists()
