"""Each form that moves money, over HTTP: the same request twice is one, the same key with other content is 409, and two
equal requests with two keys both stand (M5). One after the other, and by two connections at once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser

from daysheet.database.scope import practice_transaction
from daysheet.ledger.models import Entry
from daysheet.payments.models import Payment
from tests.architecture.world import browser_of
from tests.billing import Clinic, build_clinic
from tests.pages import filled
from tests.people import Cast

from .at_once import at_once
from .money_forms import FORMS, REPLACING, Books, MoneyForm, money_forms, open_books

SHOWN, SAVED, CONFLICT, MOVED = 200, 303, 409, 422


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def _content(browser: Browser, form: MoneyForm, key: str, **changed: str) -> dict[str, Any]:
    """What is sent in the end: of a correction, what Yes sends under the effect that was shown."""
    typed = form.typed | changed | {"request_key": key}
    if "confirmed" not in typed:
        return typed
    shown = browser.post(form.url, {name: value for name, value in typed.items() if name != "confirmed"})
    return filled(shown.text, confirmed="yes") if shown.status_code == SHOWN else typed


def _send(browser: Browser, form: MoneyForm, key: str, **changed: str) -> int:
    return browser.post(form.url, _content(browser, form, key, **changed)).status_code


def _written() -> tuple[int, int]:
    return Entry.objects.count(), Payment.objects.count()


@pytest.mark.parametrize("name", FORMS)
def test_a_key_is_one_request_with_one_content(clinic: Clinic, name: str) -> None:
    form, bob = money_forms(open_books(clinic))[name], browser_of(clinic.cast.bob)
    key, entries_before = str(uuid4()), _written()
    assert _send(bob, form, key) == SAVED
    once = _written()
    assert once[0] > entries_before[0]
    assert _send(bob, form, key) == SAVED
    assert _written() == once
    refused = bob.post(form.url, form.typed | form.other | {"request_key": key})
    assert (refused.status_code, "Nothing was saved" in refused.content.decode()) == (CONFLICT, True)
    assert _written() == once
    again = bob.post(form.url, _content(bob, form, str(uuid4())), follow=True)
    if name in REPLACING:
        assert ("Nothing was changed by you" in again.content.decode(), _written()) == (True, once)
    else:
        assert (again.redirect_chain != [], _written()[0] - once[0]) == (True, once[0] - entries_before[0])


def test_a_key_of_one_form_is_not_taken_for_another(clinic: Clinic) -> None:
    forms, bob = money_forms(open_books(clinic)), browser_of(clinic.cast.bob)
    names = [name for name in FORMS if name not in REPLACING]
    for first, second in zip(names, names[1:] + names[:1], strict=True):
        if {first, second} == {"insurance payment", "batch payment"}:
            continue  # the same payment, from two pages
        key = str(uuid4())
        _send(bob, forms[first], key)
        assert (second, _send(bob, forms[second], key)) == (second, CONFLICT)


@pytest.mark.parametrize("name", ["insurance payment", "batch payment"])
def test_an_insurers_payment_that_paid_everything_can_be_sent_again(clinic: Clinic, name: str) -> None:
    """Sent twice: by then the insurer owes nothing and is no longer in the list."""
    books = open_books(clinic)
    form, bob, key = money_forms(books)[name], browser_of(clinic.cast.bob), str(uuid4())
    whole = {f"paid-{books.line}": "74.00"}
    assert _send(bob, form, key, **whole) == SAVED
    once = _written()
    assert (_send(bob, form, key, **whole), _written()) == (SAVED, once)


@pytest.mark.parametrize("name", FORMS)
def test_the_same_request_on_two_connections_is_one(live_clinic: Clinic, name: str) -> None:
    books = _live_books(live_clinic)
    form, key = money_forms(books)[name], str(uuid4())
    answers = _both(live_clinic, (form, key), (form, key))
    assert answers == [SAVED, SAVED]
    with practice_transaction(live_clinic.cast.alder.id):
        events = Entry.objects.exclude(debit_account="client_receivable", credit_account="revenue")
        assert events.count() == _expected_entries(name)


@pytest.mark.parametrize("name", FORMS)
def test_one_key_with_two_contents_on_two_connections_has_one_winner(live_clinic: Clinic, name: str) -> None:
    books, others = _live_books(live_clinic), _live_books(live_clinic, "Long")
    key = str(uuid4())
    answers = _both(live_clinic, (money_forms(books)[name], key), (money_forms(others)[name], key))
    assert sorted(answers) == [SAVED, CONFLICT]


@pytest.mark.parametrize("name", FORMS)
def test_two_keys_on_two_connections_both_stand(live_clinic: Clinic, name: str) -> None:
    form = money_forms(_live_books(live_clinic))[name]
    keys = [str(uuid4()) for _ in range(2)]
    answers = _both(live_clinic, *((form, key) for key in keys))
    if name not in REPLACING:
        if "confirmed" in form.typed:  # one waited, and is shown what its effect is by now: Yes once more
            assert sorted(answers) == [SAVED, MOVED]
            answers = [SAVED, _send(browser_of(live_clinic.cast.bob), form, keys[answers.index(MOVED)])]
        assert answers == [SAVED, SAVED]
        return
    assert set(answers) == {SAVED}  # the other one is led to what stands now
    with practice_transaction(live_clinic.cast.alder.id):
        events = Entry.objects.exclude(debit_account="client_receivable", credit_account="revenue")
        assert events.count() == _expected_entries(name)


def _live_books(clinic: Clinic, last_name: str = "Ruiz") -> Books:
    with practice_transaction(clinic.cast.alder.id):
        return open_books(clinic, last_name)


def _expected_entries(name: str) -> int:
    """Entries beside the client's charge: the insurer's charge, the credit received, and what the form wrote."""
    wrote = {
        "client payment": 2, "insurance payment": 4, "batch payment": 4, "insurer's adjustment without money": 2,
        "edit line": 3, "void and rebill": 3,
    }  # fmt: skip
    return 2 + wrote.get(name, 1)


def _both(clinic: Clinic, *requests: tuple[MoneyForm, str]) -> list[int]:
    """Each on a browser of its own, signed in and with the effect before its eyes when they start together."""
    sends = []
    for form, key in requests:
        browser = browser_of(clinic.cast.bob)
        sends.append(partial(browser.post, form.url, _content(browser, form, key)))
    return [answer.status_code for answer in at_once(*sends)]
