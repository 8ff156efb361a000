"""A web process that is killed in the middle of a form: nothing is half written, and the same form again makes one."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest

from daysheet.invoicing.models import Invoice
from daysheet.payments.models import Payment
from tests.billing import Clinic
from tests.processes import children_of

from .scene import (
    Process,
    Visitor,
    a_visit,
    again,
    check_books,
    count_of,
    is_waiting_for_a_lock,
    present_clinic,
    row_held,
    serving_pages,
    today,
    wait_for,
)

pytestmark = pytest.mark.system

#: A payment takes about so long: kills at random moments hit before, within and after it.
_WITHIN_SECONDS = 0.3


@pytest.fixture
def clinic(live_db: None) -> Clinic:
    return present_clinic()


@again
def test_an_invoice_whose_web_process_is_killed_is_made_once(clinic: Clinic, tmp_path: Path, number: int) -> None:
    client, visit = a_visit(clinic)
    with serving_pages(tmp_path / "serve.log") as server:
        bob = Visitor.signed_in(server.port, clinic.cast.bob.user_id)
        with row_held("clients_client", client):
            answers: list[int] = []
            click = threading.Thread(target=lambda: answers.append(bob.post(f"/alder/visits/{visit}/invoice/", {})[0]))
            click.start()
            wait_for(is_waiting_for_a_lock)
            _kill_pages(server)
            click.join()
            assert answers == [0], "the connection broke"
        assert count_of(clinic, Invoice) == 0
        _come_back(server)
        assert bob.post(f"/alder/visits/{visit}/invoice/", {})[0] == 303
        assert bob.post(f"/alder/visits/{visit}/invoice/", {})[0] in {303, 422}, "it is billed already"
    assert count_of(clinic, Invoice) == 1
    check_books(clinic, lines=1)


@again
def test_a_payment_sent_again_after_a_kill_at_any_moment_is_one_payment(
    clinic: Clinic, tmp_path: Path, number: int
) -> None:
    client, visit = a_visit(clinic)
    facts = {
        "request_key": str(uuid4()),
        "amount": "25.00",
        "method": "check",
        "received_on": today(clinic).isoformat(),
    }
    with serving_pages(tmp_path / "serve.log") as server:
        bob = Visitor.signed_in(server.port, clinic.cast.bob.user_id)
        status, words = bob.post(f"/alder/visits/{visit}/invoice/", {})
        assert status == 303, words
        click = threading.Thread(target=bob.post, args=(f"/alder/clients/{client}/payments/new/", facts))
        click.start()
        time.sleep(random.uniform(0, _WITHIN_SECONDS))
        _kill_pages(server)
        click.join()
        _come_back(server)
        status, words = bob.post(f"/alder/clients/{client}/payments/new/", facts)
        assert status == 303, words
    assert count_of(clinic, Payment) == 1
    check_books(clinic, lines=1)


def _kill_pages(server: Process) -> None:
    """The process that answers, as the kernel kills: a child of gunicorn's own, which is a child of `serve`."""
    pages = [process for gunicorn in server.children() for process in children_of(gunicorn)]
    assert pages
    for process in pages:
        os.kill(process, signal.SIGKILL)


def _come_back(server: Process) -> None:
    wait_for(lambda: Visitor(server.port).get("/account/login/")[0] == 200, alive=server)
