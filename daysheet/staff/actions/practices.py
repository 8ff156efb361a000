"""Making a practice with its first owner. No actor exists yet, so these verbs take none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from daysheet.audit.actions import record
from daysheet.database.scope import practice_transaction
from daysheet.kit.errors import NotFound, Refusal
from daysheet.ledger.books import open_books
from daysheet.practices.actor import ActorKind, system_actor
from daysheet.practices.models import Practice, User
from daysheet.practices.permissions import Permission
from daysheet.practices.rules import is_address
from daysheet.staff.actors import practice_facts
from daysheet.staff.models import StaffMember

from .logins import give_login

# Any fixed number: two first-run pages at once must not make two first practices.
_FIRST_RUN_LOCK = 4_701_001


class PracticeAddressTaken(Refusal):
    """Another practice of this installation has the same address."""

    code = "practice_address_taken"


class PracticeAddressUnusable(Refusal):
    """The address has other letters than a-z, digits and hyphens, or Daysheet needs it itself."""

    code = "practice_address_unusable"


@dataclass(frozen=True, slots=True)
class NewOwner:
    """The first person of a practice. A known e-mail address keeps its login and password."""

    email: str
    first_name: str
    last_name: str
    password: str | None = None


def create_practice(
    *, slug: str, name: str, time_zone: str, owner: NewOwner, now: datetime, **facts: Any
) -> tuple[Practice, StaffMember]:
    """A practice with its owner, who is Organization Administrator. Raises PracticeAddressTaken and
    PracticeAddressUnusable. Called by the first-run page and the command line."""
    if not is_address(slug):
        raise PracticeAddressUnusable(
            f"“{slug}” cannot be an address. Use small letters, digits and hyphens, such as juniper-counseling."
        )
    with transaction.atomic():
        if Practice.objects.filter(slug=slug).exists():
            raise PracticeAddressTaken(f"The address “{slug}” is taken. Choose another one.")
        practice = Practice.objects.create(slug=slug, name=name, time_zone=time_zone, **facts)
        user = User.objects.filter(email__iexact=owner.email).first() or User.objects.create_user(
            owner.email, owner.password, name=f"{owner.first_name} {owner.last_name}"
        )
        actor = system_actor(practice_facts(practice), now, ActorKind.COMMAND)
        with practice_transaction(practice.pk):
            person = StaffMember.objects.create(
                first_name=owner.first_name,
                last_name=owner.last_name,
                email=owner.email.lower(),
                permissions=[Permission.ORGANIZATION_ADMINISTRATOR.value],
            )
            give_login(actor, person, user)
            open_books()
            record(actor, "create_practice", "practice", practice.pk, slug=slug)
    return practice, person


def create_first_practice(*, slug: str, name: str, time_zone: str, owner: NewOwner, now: datetime) -> Practice:
    """The first-run page's verb. Raises NotFound once any practice exists, also when two ask at the same moment."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_FIRST_RUN_LOCK])
        if Practice.objects.exists():
            raise NotFound("This installation has a practice already.")
        return create_practice(slug=slug, name=name, time_zone=time_zone, owner=owner, now=now)[0]
