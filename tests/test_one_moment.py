"""A page shows one moment of the books: what others commit while it is made is on it wholly or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from daysheet.clients.models import Client
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.ledger.tests.test_post_and_reverse import at_once
from daysheet.payments.actions import accept_payment
from tests.between import just_before
from tests.billing import Clinic, build_clinic
from tests.pages import words_of
from tests.people import Cast

DAY = date(2026, 11, 2)
#: The sign-in and the first words of the transaction come before the moment of the page.
_BEGIN = "SET LOCAL app.practice_id"


@pytest.fixture
def clinic(live_cast: Cast) -> Clinic:
    with practice_transaction(live_cast.alder.id):
        return build_clinic(live_cast)


@pytest.fixture
def bob(clinic: Clinic) -> Browser:
    browser = Browser()
    browser.force_login(get_user_model().objects.get(pk=clinic.cast.bob.user_id))
    return browser


def meanwhile(clinic: Clinic, work: Callable[[], object]) -> Callable[[], None]:
    """Somebody else does it, on a connection of their own, and commits."""

    def happens() -> None:
        assert at_once(clinic.cast, work) == ["done"]

    return happens


def billed(clinic: Clinic) -> tuple[UUID, int]:
    """A client with a bill of $150, and its number."""
    with practice_transaction(clinic.cast.alder.id):
        client = clinic.client("Ruiz")
        visit, _ = clinic.visit(client, clinic.talk, day=DAY)
        return client, bill_visit(clinic.biller, visit_id=visit).created[0].number


def test_a_payment_that_comes_while_a_page_is_made_is_not_on_half_of_it(clinic: Clinic, bob: Browser) -> None:
    client, _ = billed(clinic)

    def pays() -> None:
        accept_payment(
            clinic.biller, request_key=uuid4(), client_id=client, amount_cents=100, received_on=DAY, method="cash"
        )

    pages = (
        reverse("payments:ledger", kwargs={"practice": "alder", "client": client}),
        reverse("reports:invoice_aging", kwargs={"practice": "alder"}),
    )
    for page in pages:
        with CaptureQueriesContext(connection) as queries:
            before = words_of(bob.get(page))
        statements = [query["sql"] for query in queries.captured_queries if query["sql"] not in {"BEGIN", "COMMIT"}]
        [begin] = [number for number, sql in enumerate(statements, 1) if _BEGIN in sql]
        tried = 0
        for nth in range(begin + 2, len(statements) + 1):
            with just_before("", meanwhile(clinic, pays), nth=nth):
                assert words_of(bob.get(page)) == before, statements[nth - 1]
            tried += 1
            after = words_of(bob.get(page))
            assert after != before, "the payment is on it"
            before = after
        assert tried >= 5


def test_a_page_that_tries_a_correction_out_meets_another_s_change_and_is_made_again(
    clinic: Clinic, bob: Browser
) -> None:
    client, number = billed(clinic)

    def changes() -> None:
        Client.objects.filter(pk=client).update(email="ana@example.org")

    with just_before("FOR NO KEY UPDATE", meanwhile(clinic, changes)):
        answer = bob.get(reverse("invoicing:void_invoice", kwargs={"practice": "alder", "number": number}))
    assert answer.status_code == 200
    assert "Client Balance Due" in words_of(answer)
