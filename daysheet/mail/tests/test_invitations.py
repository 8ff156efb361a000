"""An invitation goes through the Delivery Log like any message, and the log does not hold what lets somebody in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from daysheet.kit.ids import new_id
from daysheet.mail.actions import send_again
from daysheet.mail.models import DeliveryStep, Message
from daysheet.mail.queries import message_details
from daysheet.mail.registry import HIDDEN
from daysheet.staff import actions
from daysheet.staff.models import Invitation, StaffMember
from tests.mail_server import MailServer

from .conftest import Office


@pytest.fixture
def eve(office: Office) -> UUID:
    return actions.add_staff_member(
        office.owner, first_name="Eve", last_name="New", email="eve@alder.example"
    ).pk  # fmt: skip


def invite(office: Office, person: UUID, invitation_id: UUID | None = None) -> actions.SentInvitation:
    return actions.invite_staff_member(
        office.owner, person, link_for=lambda token: f"https://daysheet.example/alder/join/{token}",
        invitation_id=invitation_id,
    )  # fmt: skip


def text_of(smtp: MailServer) -> str:
    return str(smtp.messages[-1].get_body(("plain",)).get_content())  # type: ignore[union-attr]


def test_it_is_sent_once_with_its_link_and_the_log_hides_the_secret(
    office: Office, smtp: MailServer, eve: UUID
) -> None:
    invitation_id = new_id()
    first, second = invite(office, eve, invitation_id), invite(office, eve, invitation_id)
    office.deliver()
    office.deliver()
    (message,) = Message.objects.all()
    assert first.token and second.token is None and smtp.addresses() == ["eve@alder.example"]
    assert f"https://daysheet.example/alder/join/{first.token}" in text_of(smtp)
    assert str(smtp.messages[0]["Subject"]) == "Your invitation" and message.state == "sent"
    assert first.token not in repr(Message.objects.values()) + repr(DeliveryStep.objects.values())
    shown = message_details(office.owner, message.pk)
    assert f"/alder/join/{HIDDEN}" in shown.text and first.token not in shown.text


def test_a_mail_server_that_is_busy_delays_it_and_no_more(office: Office, smtp: MailServer, eve: UUID) -> None:
    sent = invite(office, eve)
    smtp.at_recipient["eve@alder.example"] = ["451 later"]
    office.deliver()
    assert office.states() == ["waiting"] and smtp.addresses() == []
    office.deliver(after=timedelta(hours=1))
    assert office.states() == ["sent"] and (sent.token or "-") in text_of(smtp)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda office, eve: actions.withdraw_invitation(office.owner, eve),
        lambda office, eve: StaffMember.objects.filter(pk=eve).update(email="other@alder.example"),
        lambda office, eve: Invitation.objects.update(accepted_at=office.now),
        lambda office, eve: setattr(office, "now", office.now + timedelta(days=7)),
    ],
    ids=["withdrawn", "other address", "accepted", "too old"],
)
def test_one_that_no_longer_works_is_not_sent_and_says_why(
    office: Office, smtp: MailServer, eve: UUID, spoil: Callable[[Office, UUID], object]
) -> None:
    invite(office, eve)
    spoil(office, eve)
    office.deliver()
    assert smtp.taken == [] and office.states() == ["failed"]
    assert DeliveryStep.objects.get().words == "The invitation no longer works. Invite the person again."


def test_one_of_another_installation_is_not_sent(office: Office, smtp: MailServer, eve: UUID, settings: Any) -> None:
    """A practice that was moved: its links were made with another key, and would let nobody in."""
    invite(office, eve)
    settings.SECRET_KEY = "the key of another installation"
    office.deliver()
    assert smtp.taken == [] and office.states() == ["failed"]


def test_it_can_be_sent_again_with_the_same_link(office: Office, smtp: MailServer, eve: UUID) -> None:
    sent = invite(office, eve)
    smtp.at_data["eve@alder.example"] = ["550 no"]
    office.deliver()
    (message,) = Message.objects.all()
    send_again(office.owner, message_id=message.pk, seen="failed")
    office.deliver()
    assert office.states() == ["sent"] and (sent.token or "-") in text_of(smtp)


def test_an_address_that_is_none_is_refused_in_words(office: Office, eve: UUID) -> None:
    StaffMember.objects.filter(pk=eve).update(email="eve at alder")
    with pytest.raises(actions.CannotInvite, match="is no e-mail address"):
        invite(office, eve)
    assert not Message.objects.exists()


def test_another_practices_key_is_another_secret(office: Office, eve: UUID) -> None:
    """The secret is made of practice and invitation: neither alone tells it."""
    one, other = invite(office, eve).token, invite(office, eve).token
    assert one and other and one != other and len(one) == 43
