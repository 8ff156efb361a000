"""Who is acting, for which practice, at which moment. Passed to every action and query; never found in a global."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from daysheet.kit.dates import local_date
from daysheet.kit.errors import NotAllowed

from .permissions import Permission, allows


class ActorKind(StrEnum):
    """What kind of hand did it."""

    PERSON = "person"
    JOB = "job"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class PracticeFacts:
    """What every request knows of its practice."""

    id: int
    slug: str
    name: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Actor:
    """`now` is an aware moment; `today` is that moment's date in practice time."""

    practice: PracticeFacts
    kind: ActorKind
    person_name: str
    permissions: frozenset[Permission]
    now: datetime
    user_id: int | None = None
    staff_member_id: UUID | None = None
    limited_to_assigned: bool = False
    request_id: str = ""

    def may(self, permission: Permission) -> bool:
        """Whether this actor holds `permission`."""
        return allows(self.permissions, permission)

    def require(self, permission: Permission) -> None:
        """Raise NotAllowed without `permission`."""
        if not self.may(permission):
            raise NotAllowed(
                f"This needs the permission “{permission.label}”. Ask an administrator of {self.practice.name}."
            )

    @property
    def today(self) -> date:
        """The date in practice time (S6)."""
        return local_date(self.now, self.practice.time_zone)


def system_actor(practice: PracticeFacts, now: datetime, kind: ActorKind = ActorKind.JOB, name: str = "") -> Actor:
    """The practice's own jobs and the command line: everything is allowed, and the audit names the job."""
    return Actor(
        practice=practice,
        kind=kind,
        person_name=name or f"Daysheet {kind}",
        permissions=frozenset({Permission.ORGANIZATION_ADMINISTRATOR}),
        now=now,
    )
