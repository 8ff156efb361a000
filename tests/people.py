"""The cast: Alder Clinic with Alice (owner), Bob (biller), Carol (provider), Dan (front desk); Birch Practice with
Charlie, the stranger. Built by the real actions, so that no test starts from a state the system cannot reach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from daysheet.database.scope import practice_transaction
from daysheet.practices.actor import Actor, PracticeFacts
from daysheet.practices.models import User
from daysheet.practices.permissions import Permission
from daysheet.staff import actions as staff
from daysheet.staff.actors import Entrance, person_actor, practice_facts
from daysheet.staff.models import StaffMember

#: Monday 16 November 2026, 10:00 in New York.
NOW = datetime(2026, 11, 16, 15, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Person:
    staff_member_id: UUID
    user_id: int
    email: str


@dataclass(frozen=True)
class Cast:
    alder: PracticeFacts
    birch: PracticeFacts
    alice: Person
    bob: Person
    carol: Person
    dan: Person
    charlie: Person

    def actor(self, person: Person, *, now: datetime = NOW, practice: PracticeFacts | None = None) -> Actor:
        """`person` acting at `now`; needs no transaction of the caller's."""
        facts = practice or (self.birch if person is self.charlie else self.alder)
        with practice_transaction(facts.id):
            actor = person_actor(Entrance(facts, person.staff_member_id), person.user_id, now=now)
        assert actor is not None
        return actor


def build_cast(now: datetime = NOW, *, time_zone: str = "America/New_York") -> Cast:
    """Both practices with everybody signed up at `now`; Alder Clinic in this time zone."""
    practice, owner = staff.create_practice(
        slug="alder",
        name="Alder Clinic",
        time_zone=time_zone,
        owner=staff.NewOwner("alice@alder.example", "Alice", "Owner", PASSWORD),
        now=now,
        npi="1234567893",
        cpt_license_fee_cents=2150,
    )
    other, stranger = staff.create_practice(
        slug="birch",
        name="Birch Practice",
        time_zone="America/Los_Angeles",
        owner=staff.NewOwner("charlie@birch.example", "Charlie", "Stranger", PASSWORD),
        now=now,
    )
    alder, birch = practice_facts(practice), practice_facts(other)
    with practice_transaction(alder.id):
        alice = _person(owner)
        actor = person_actor(Entrance(alder, owner.pk), alice.user_id, now=now)
        assert actor is not None
        bob = _hire(actor, "Bob", "Biller", [Permission.BILLING])
        carol = _hire(
            actor, "Carol", "Clinician", [Permission.PROVIDER], is_provider=True, npi="1245319599", credentials="LCSW"
        )
        dan = _hire(actor, "Dan", "Desk", [])
    with practice_transaction(birch.id):
        charlie = _person(stranger)
    return Cast(alder, birch, alice, bob, carol, dan, charlie)


def _hire(actor: Actor, first: str, last: str, permissions: list[Permission], **facts: object) -> Person:
    email = f"{first.lower()}@alder.example"
    person = staff.add_staff_member(
        actor, first_name=first, last_name=last, permissions=permissions, email=email, **facts
    )
    user = User.objects.create_user(email, PASSWORD, name=person.name)
    staff.give_login(actor, person, user)
    return _person(person)


def _person(person: StaffMember) -> Person:
    person = StaffMember.objects.get(pk=person.pk)
    assert person.user_id is not None
    return Person(person.pk, person.user_id, person.email)
