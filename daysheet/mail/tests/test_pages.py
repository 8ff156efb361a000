"""Delivery Log, a message's page, and Organization → Settings → E-mail, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.test import Client as Browser

from daysheet.mail.models import Mailbox, Message
from tests.mail_server import MailServer
from tests.people import Person

from .conftest import Office

SignIn = Callable[[Person], Browser]
MINUTE = timedelta(minutes=1)
LOG = "/alder/billing/delivery-log/"


def _troubled(office: Office, smtp: MailServer) -> tuple[Message, Message, Message]:
    ana, ben, cid = office.write("Ana", "Ben", "Cid", documents=["one"])
    smtp.at_recipient[ana.address] = ["550 5.1.1 <script>alert(1)</script>"]
    smtp.at_data[ben.address] = ["drop"]
    office.deliver()
    office.deliver()
    return ana, ben, cid


def test_the_log_says_what_became_of_each_and_filters_by_it(office: Office, smtp: MailServer, sign_in: SignIn) -> None:
    ana, ben, _cid = _troubled(office, smtp)
    bob = sign_in(office.cast.bob)
    page = bob.get(LOG).content.decode()
    assert page.index("Cid Secretname") < page.index("Ana Secretname"), "newest first"
    assert "550 5.1.1 &lt;script&gt;" in page and "check before sending again" in page
    trouble = bob.get(LOG, {"state": "trouble"}).content.decode()
    assert "Ana Secretname" in trouble and "Ben Secretname" in trouble and "Cid Secretname" not in trouble
    one = bob.get(LOG, {"client_id": str(ana.client_id)}).content.decode()
    assert "Ana Secretname" in one and "Ben Secretname" not in one
    assert "No message fits" in bob.get(LOG, {"state": "withdrawn"}).content.decode()
    assert "No message fits" in bob.get(LOG, {"run_id": str(ben.pk)}).content.decode()
    wrong = bob.get(LOG, {"from_on": "2026-11-20", "to_on": "2026-11-01"})
    assert wrong.status_code == 422 and "ends before it begins" in wrong.content.decode()


def test_the_log_asks_the_same_number_of_questions_for_many(
    office: Office, smtp: MailServer, sign_in: SignIn, django_assert_max_num_queries: Callable[..., object]
) -> None:
    office.write(*(f"N{number}" for number in range(30)))
    office.deliver()
    bob = sign_in(office.cast.bob)
    bob.get(LOG)
    with django_assert_max_num_queries(14):  # type: ignore[attr-defined]
        assert bob.get(LOG).content.decode().count("Secretname") == 30


def test_an_unknown_asks_before_it_is_sent_again(office: Office, smtp: MailServer, sign_in: SignIn) -> None:
    _, ben, _ = _troubled(office, smtp)
    bob = sign_in(office.cast.bob)
    address = f"{LOG}{ben.pk}/"
    page = bob.get(address).content.decode()
    assert "Mark as sent" in page and "Send again" in page
    asked = bob.post(f"{address}send-again/", {"seen": "unknown"})
    assert asked.status_code == 200 and "the person gets it twice" in asked.content.decode()
    assert office.states()[1] == "unknown"
    bob.post(f"{address}send-again/", {"seen": "unknown", "confirmed": "yes"})
    office.deliver(after=MINUTE)
    assert office.states()[1] == "sent"
    late = bob.post(f"{address}mark-sent/", follow=True).content.decode()
    assert "The message is sent by now. Nothing was changed" in late


def test_a_failed_one_is_sent_again_and_a_waiting_one_withdrawn(
    office: Office, smtp: MailServer, sign_in: SignIn
) -> None:
    ana, _, _ = _troubled(office, smtp)
    bob = sign_in(office.cast.bob)
    bob.post(f"{LOG}{ana.pk}/send-again/", {"seen": "failed"})
    assert office.states()[0] == "waiting"
    assert "Do not send" in bob.get(f"{LOG}{ana.pk}/").content.decode()
    bob.post(f"{LOG}{ana.pk}/withdraw/")
    assert office.states()[0] == "withdrawn"


def test_an_attachment_is_made_again(office: Office, smtp: MailServer, sign_in: SignIn) -> None:
    ana, _, _ = _troubled(office, smtp)
    bob = sign_in(office.cast.bob)
    answer = bob.get(f"{LOG}{ana.pk}/files/1/")
    assert (answer.content, answer["Content-Type"], answer["Cache-Control"]) == (b"one", "application/pdf", "no-store")
    assert bob.get(f"{LOG}{ana.pk}/files/2/").status_code == 404
    office.run_id = ana.pk
    (eli,) = office.write("Eli", documents=["refused"])
    refused = bob.get(f"{LOG}{eli.pk}/files/1/", follow=True)
    assert "There is nothing to show." in refused.content.decode()


def test_settings_say_how_e_mail_is_signed_and_send_a_test(office: Office, smtp: MailServer, sign_in: SignIn) -> None:
    alice = sign_in(office.cast.alice)
    settings = alice.get("/alder/organization/settings").content.decode()
    assert "Alder Clinic &lt;billing@alder.example&gt;" in settings and "answers are not read" in settings
    address = "/alder/organization/e-mail/"
    wrong = alice.post(address, {"sender_name": "A\u2028B", "reply_to": "nobody"})
    assert wrong.status_code == 422
    assert "Use one line" in wrong.content.decode() and "valid email" in wrong.content.decode()
    alice.post(address, {"sender_name": "Alder", "reply_to": "desk@alder.example"})
    assert Mailbox.objects.values_list("sender_name", "reply_to").get() == ("Alder", "desk@alder.example")
    page = alice.get(address)
    run_id = page.context["test_form"]["run_id"].value()
    alice.post(f"{address}test/", {"run_id": run_id})
    alice.post(f"{address}test/", {"run_id": run_id})
    office.deliver(after=MINUTE)
    assert smtp.addresses() == ["alice@alder.example"]
    assert "Sent" in alice.get(address).content.decode()
    again = alice.post(f"{address}test/", follow=True).content.decode()
    assert "The test message was not sent" in again
