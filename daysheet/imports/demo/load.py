"""Loading the demo: phases, each one transaction, each harmless to repeat. A load that was killed is carried on with by
running it again: what it was to become (seed, size, day) is noted first, and the end is noted last.
"""

from __future__ import annotations

import csv
import hashlib
import io
import time as clock
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.db import transaction

from daysheet.audit.actions import record
from daysheet.database.scope import practice_transaction
from daysheet.imports.actions import import_file
from daysheet.imports.models import ImportedFile
from daysheet.kit.dates import local_date, local_moment, utc_now
from daysheet.kit.errors import Refusal
from daysheet.practices.actor import Actor, ActorKind, PracticeFacts, system_actor
from daysheet.practices.models import Practice, User
from daysheet.practices.permissions import Permission
from daysheet.staff.actions import NewOwner, create_practice, edit_staff_member, give_login
from daysheet.staff.actors import practice_facts
from daysheet.staff.licenses.actions import assign_license, renew_licenses
from daysheet.staff.models import CptLicense, StaffMember

from .cards import store_cards
from .money import bill_and_pay
from .passwords import demo_password
from .plan import BIRCH, JUNIPER, Demo, Row, Shape, scaled_clients
from .series import book_series

#: Kinds of ImportedFile that are not templates: the notes of what is being loaded, and that it is done.
_BEGUN, _DONE = "demo_begun", "demo_done"
_FEE_CENTS = 1900
Progress = Callable[[str], None]


class DemoInTheWay(Refusal):
    """A practice of somebody's own has the demo's address."""

    code = "demo_in_the_way"


@dataclass(frozen=True, slots=True)
class DemoLogins:
    """Who can sign in to the demo, all with one password. `was_there`: nothing had to be loaded."""

    password: str
    emails: tuple[str, ...]
    slug: str
    was_there: bool


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a load is to become."""

    seed: int
    clients: int
    now: datetime


def load_demo(
    *,
    seed: int = 1,
    visits: int | None = None,
    progress: Callable[[str], None] = print,
    now: datetime | None = None,
) -> DemoLogins:
    """Make both demo practices, or find them made. `visits`: about how many in the larger one (20,000). The same seed
    on the same day gives the same data. Raises DemoInTheWay. Runs in transactions of its own."""
    began = clock.monotonic()
    password, is_new = demo_password()
    was_there = True
    for shape in (JUNIPER, BIRCH):
        clients = scaled_clients(shape, visits if shape is JUNIPER else None)
        was_there &= _load(shape, _Wish(seed, clients, now or utc_now()), password, progress)
    emails = tuple(login.email for shape in (JUNIPER, BIRCH) for login in shape.logins)
    if is_new and was_there:
        _set_passwords(emails, password)
    if not was_there:
        progress(f"The demo is loaded ({clock.monotonic() - began:.0f} s).")
    return DemoLogins(password, emails, JUNIPER.slug, was_there)


def _load(shape: Shape, wish: _Wish, password: str, progress: Progress) -> bool:
    """Make one practice; True where it was there already."""
    facts = _practice(shape, wish, password)
    with practice_transaction(facts.id):
        notes = {note.kind: note for note in ImportedFile.objects.filter(kind__in=(_BEGUN, _DONE))}
    if _BEGUN not in notes:
        raise DemoInTheWay(
            f"A practice has the address “{shape.slug}” already and is not the demo. Nothing was changed."
        )
    if _DONE in notes:
        return True
    wish = _noted(notes[_BEGUN])
    today = local_date(wish.now, facts.time_zone)
    progress(f"{shape.name}: making {wish.clients:,} clients and their appointments …")
    demo = Demo(shape, seed=wish.seed, today=today, clients=wish.clients)
    begins_at = _moment(demo.begins_on, facts)
    _hire(shape, facts, begins_at, password)
    _license(shape, facts, begins_at, wish.now)
    for kind, rows in demo.files():
        _take(_actor(facts, wish.now), kind, rows)
        progress(f"{shape.name}: {len(rows):,} {kind.replace('_', ' ')}")
    book_series(_actor(facts, wish.now), demo, progress)
    bill_and_pay(facts, begins_on=demo.begins_on, today=today, seed=wish.seed, progress=progress)
    if shape is JUNIPER:
        store_cards(_actor(facts, wish.now), wish.now, progress)
    with practice_transaction(facts.id):
        _note(_actor(facts, wish.now), _DONE, wish)
    return False


def _practice(shape: Shape, wish: _Wish, password: str) -> PracticeFacts:
    """The practice with its owner and the note of what is to become of it, in one transaction."""
    found = Practice.objects.filter(slug=shape.slug).first()
    if found:
        return practice_facts(found)
    owner = NewOwner(shape.owner["Email"], shape.owner["First Name"], shape.owner["Last Name"], password)
    with transaction.atomic():
        practice, _ = create_practice(
            slug=shape.slug, name=shape.name, time_zone=shape.time_zone, owner=owner, now=wish.now,
            npi="2009999990", tax_id="00-0000000", phone="555-0100", address_1="10 Alder Way", city="Juniper Falls",
            state="NJ", postal_code="08998", cpt_license_fee_cents=_FEE_CENTS,
        )  # fmt: skip
        facts = practice_facts(practice)
        with practice_transaction(practice.pk):
            _note(_actor(facts, wish.now), _BEGUN, wish)
    return facts


def _hire(shape: Shape, facts: PracticeFacts, begins_at: datetime, password: str) -> None:
    """Everybody as a staff file (the owner is recognised by e-mail), then permissions and logins."""
    actor = _actor(facts, begins_at)
    _take(actor, "staff", list(shape.staff))
    with practice_transaction(facts.id):
        people = {person.external_id: person for person in StaffMember.objects.exclude(external_id=None)}
        for login in shape.logins:
            person = people[login.staff_id]
            if person.user_id is not None:
                continue
            edit_staff_member(
                actor,
                person.pk,
                permissions=[Permission(value) for value in login.permissions],
                limited_to_assigned=login.limited_to_assigned,
            )
            known = User.objects.filter(email__iexact=login.email).first()
            give_login(actor, person, known or User.objects.create_user(login.email, password, name=person.name))


def _license(shape: Shape, facts: PracticeFacts, begins_at: datetime, now: datetime) -> None:
    """Licences from the first day for all providers but the newcomer, renewed on each January 1 since (L2)."""
    actor = _actor(facts, begins_at)
    with practice_transaction(facts.id):
        providers = StaffMember.objects.filter(is_provider=True).exclude(external_id=shape.unlicensed)
        held = set(CptLicense.objects.values_list("staff_member_id", flat=True))
        for person in providers.order_by("external_id"):
            if person.pk not in held:
                assign_license(actor, person.pk, paid_on=actor.today, reference="Demo")
    for year in range(begins_at.year + 1, local_date(now, facts.time_zone).year + 1):
        renew_licenses(facts, _moment(date(year, 1, 1), facts))


def _take(actor: Actor, kind: str, rows: list[Row]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    content = text.getvalue().encode()
    with practice_transaction(actor.practice.id):
        same = ImportedFile.objects.filter(kind=kind, sha256=hashlib.sha256(content).hexdigest())
        if not same.exists():
            import_file(actor, kind=kind, file_name=f"{kind}.csv", content=content)


def _note(actor: Actor, kind: str, wish: _Wish) -> None:
    """An ImportedFile that no page lists: seed and size are its name and count."""
    note = ImportedFile.objects.create(
        kind=kind, file_name=f"seed {wish.seed}", sha256="", row_count=wish.clients, created_count=0, changed_count=0,
        unchanged_count=0, imported_at=wish.now, imported_by_name=actor.person_name,
    )  # fmt: skip
    record(actor, kind, "practice", actor.practice.id, note=str(note.pk), seed=wish.seed)


def _noted(note: ImportedFile) -> _Wish:
    return _Wish(int(note.file_name.removeprefix("seed ")), note.row_count, note.imported_at)


def _set_passwords(emails: tuple[str, ...], password: str) -> None:
    """The note of the password was lost: a new one takes its place."""
    for user in User.objects.filter(email__in=emails):
        user.set_password(password)
        user.save(update_fields=["password"])


def _actor(facts: PracticeFacts, now: datetime) -> Actor:
    return system_actor(facts, now, ActorKind.COMMAND, "daysheet demo")


def _moment(day: date, facts: PracticeFacts) -> datetime:
    return local_moment(day, time(8), facts.time_zone).astimezone(UTC)
