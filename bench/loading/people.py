"""The practice itself: staff, licences, services, insurers by the application's actions; clients by COPY."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from daysheet.clients.actions import add_payer
from daysheet.clients.models import Client, Coverage, Diagnosis, Payer
from daysheet.clients.rules import search_text_of
from daysheet.database.scope import practice_transaction
from daysheet.kit.dates import local_moment
from daysheet.kit.ids import new_id
from daysheet.kit.npi import npi_check_digit
from daysheet.practices.actor import Actor, PracticeFacts
from daysheet.practices.models import Location, Practice, User
from daysheet.practices.permissions import Permission
from daysheet.services.actions import add_payer_rate, add_service_type
from daysheet.services.models import ServiceType
from daysheet.staff.actions import NewOwner, add_staff_member, create_practice, give_login
from daysheet.staff.actors import Entrance, person_actor, practice_facts
from daysheet.staff.models import CptLicense, LicenseRenewalRun, StaffMember
from daysheet.staff.organization.actions import add_location

from ..shape import EPISODE_WEEKS, Shape
from ..sql import Connection, defaults_of

ZONE = "America/New_York"
#: Two of these are on every visit: one CPT-coded session, and one of the three after them.
SERVICES = (
    ("9T101", "Session, 45 minutes", "cpt", 14_000, {}),
    ("9T102", "Session, 60 minutes", "cpt", 18_500, {}),
    ("9T103", "Family session", "cpt", 16_000, {}),
    ("9T201", "Added time", "cpt", 3_500, {"unit_rule": "per_minutes", "unit_count": 30}),
    ("G9990", "Screening", "hcpcs", 2_200, {}),
    ("NOTE", "Written report", "non_cpt", 4_000, {"bills_insurance": False}),
)
_FIRST = ("Ana", "Ben", "Cleo", "Dov", "Edie", "Finn", "Gia", "Hugo", "Ines", "Jude", "Kai", "Lena", "Milo", "Nora",
          "Otis", "Pia", "Quin", "Rosa", "Sami", "Tess", "Uma", "Vito", "Wren", "Xia", "Yara", "Zeno")  # fmt: skip
_LAST = ("Abbott", "Bauer", "Castro", "Dietz", "Egan", "Flores", "Grant", "Hahn", "Ibarra", "Jensen", "Keller",
         "Lozano", "Meyer", "Novak", "Ochoa", "Paulsen", "Quigley", "Ruiz", "Steiner", "Tanaka", "Ulrich", "Vance",
         "Winter", "Young", "Ziegler")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loaded:
    """A practice with its people: what the loading of its history needs. `regular` is the number of the client who
    comes every weekday."""

    shape: Shape
    practice: PracticeFacts
    owner: Actor
    staff: Sequence[UUID]
    locations: Sequence[UUID]
    services: Sequence[UUID]
    payers: Sequence[UUID]
    now: datetime

    @property
    def regular(self) -> int:
        return self.shape.clients + 1

    @property
    def params(self) -> dict[str, Any]:
        """What every statement may name."""
        return {"practice": self.practice.id, "regular": self.regular, "today": self.shape.today}


def load_people(connection: Connection, shape: Shape, *, logins: int) -> Loaded:
    """Everything but history; what is there already stays. `logins`: how many of the staff can sign in, beside the
    owner."""
    now = _now(shape)
    found = Practice.objects.filter(slug=shape.slug).first()
    practice = practice_facts(found) if found else _practice(shape, now)
    with practice_transaction(practice.id):
        if not Payer.objects.exists():
            _hire(_owner(practice, now), shape, logins)
    loaded = find_people(shape)
    clients = connection.execute("SELECT count(*) FROM clients_client WHERE practice_id = %s", [practice.id]).fetchone()
    if clients == (0,):
        _clients(connection, loaded)
    number_clients(connection, practice.id)
    return loaded


def _hire(actor: Actor, shape: Shape, logins: int) -> None:
    staff = _staff(actor, shape, logins)
    _locations(actor, shape)
    services = _services(actor)
    _license(actor, shape, staff)
    _rates(actor, shape, _payers(actor, shape), services)


def find_people(shape: Shape) -> Loaded:
    """The same of a practice that was loaded before."""
    practice = practice_facts(Practice.objects.get(slug=shape.slug))
    now = _now(shape)
    with practice_transaction(practice.id):
        service_ids = dict(ServiceType.objects.values_list("code", "pk"))
        return Loaded(
            shape, practice, _owner(practice, now), _ids(StaffMember.objects.filter(is_provider=True))[: shape.staff],
            _ids(Location.objects.all()), [service_ids[code] for code, *_ in SERVICES], _ids(Payer.objects.all()), now,
        )  # fmt: skip


def _owner(practice: PracticeFacts, now: datetime) -> Actor:
    owner = StaffMember.objects.get(permissions__contains=[Permission.ORGANIZATION_ADMINISTRATOR.value])
    actor = person_actor(Entrance(practice, owner.pk), owner.user_id or 0, now=now)
    assert actor is not None
    return actor


def _ids(rows: Any) -> list[UUID]:
    """In the order in which they were made."""
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _now(shape: Shape) -> datetime:
    """Ten in the morning of the Saturday."""
    return local_moment(shape.today, time(10), ZONE).astimezone(UTC)


def _practice(shape: Shape, now: datetime) -> PracticeFacts:
    practice, _ = create_practice(
        slug=shape.slug, name=f"{shape.slug.capitalize()} Counseling", time_zone=ZONE, npi="1234567893",
        owner=NewOwner(f"owner@{shape.slug}.example", "Olive", "Owner"), now=now, cpt_license_fee_cents=1900,
        address_1="10 Alder Way", city="Juniper Falls", state="NJ", postal_code="08998", phone="555-0100",
    )  # fmt: skip
    # Its books began with its first visit.
    Practice.objects.filter(pk=practice.pk).update(created_at=now - timedelta(weeks=shape.billed_weeks + 10))
    return practice_facts(practice)


def _staff(actor: Actor, shape: Shape, logins: int) -> list[UUID]:
    ids = []
    for number in range(max(shape.staff, logins)):
        first_nine = f"{124_000_000 + number}"
        person = add_staff_member(
            actor, first_name=_FIRST[number % len(_FIRST)], last_name=f"{_LAST[number % len(_LAST)]}-{number}",
            permissions=[Permission.PROVIDER, Permission.BILLING], is_provider=True, credentials="LCSW",
            npi=first_nine + npi_check_digit(first_nine), email=f"staff{number}@{shape.slug}.example",
        )  # fmt: skip
        if number < logins:
            give_login(actor, person, User.objects.create_user(person.email, None, name=person.name))
        ids.append(person.pk)
    return ids[: shape.staff]


def _locations(actor: Actor, shape: Shape) -> None:
    for number in range(shape.locations):
        add_location(actor, location_id=new_id(), name=f"Office {number + 1}", place_of_service="11")


def _services(actor: Actor) -> list[UUID]:
    return [
        add_service_type(actor, code=code, name=name, kind=kind, rate_cents=cents, **facts).pk
        for code, name, kind, cents, facts in SERVICES
    ]


def _payers(actor: Actor, shape: Shape) -> list[UUID]:
    return [add_payer(actor, name=f"Insurer {number + 1}").pk for number in range(shape.payers)]


def _rates(actor: Actor, shape: Shape, payers: Sequence[UUID], services: Sequence[UUID]) -> None:
    """Every other insurer has a fee schedule for the sessions."""
    for payer_id in payers[::2]:
        for service_id, (_, _, kind, cents, _) in zip(services, SERVICES, strict=True):
            if kind == "cpt":
                rate = cents * 9 // 1000 * 100
                add_payer_rate(actor, payer_id, service_id, rate_cents=rate, starts_on=shape.first_monday)


def _license(actor: Actor, shape: Shape, staff: Sequence[UUID]) -> None:
    """Everybody holds a licence for every year of the history."""
    years = range(shape.first_monday.year, shape.today.year + 1)
    CptLicense.objects.bulk_create(
        CptLicense(staff_member_id=staff_id, year=year, fee_cents=1900, assigned_at=actor.now, assigned_by="Olive")
        for year in years
        for staff_id in staff
    )
    LicenseRenewalRun.objects.bulk_create(
        LicenseRenewalRun(year=year, ran_at=actor.now, renewed_count=len(staff)) for year in years
    )


def _clients(connection: Connection, loaded: Loaded) -> None:
    """Clients, of whom seven in ten are insured, with coverage and two diagnoses each."""
    people = list(_people(loaded))
    _copy(connection, Client, loaded, [person.client for person in people])
    insured = [person for person in people if person.coverage]
    _copy(connection, Coverage, loaded, [person.coverage for person in insured])
    _copy(connection, Diagnosis, loaded, [row for person in insured for row in person.diagnoses])


def number_clients(connection: Connection, practice_id: int) -> None:
    """Clients by their numbers, in a temporary table: how the history's statements find them."""
    connection.execute("DROP TABLE IF EXISTS bench_client")
    connection.execute(
        "CREATE TEMP TABLE bench_client AS SELECT substr(external_id, 8)::int AS no, id FROM clients_client "
        "WHERE practice_id = %s AND external_id LIKE 'client-%%'",
        [practice_id],
    )
    connection.execute("ALTER TABLE bench_client ADD PRIMARY KEY (no)")
    connection.execute("ANALYZE bench_client")


@dataclass(frozen=True, slots=True)
class _Person:
    client: dict[str, Any]
    coverage: dict[str, Any] | None
    diagnoses: list[dict[str, Any]]


def _people(loaded: Loaded) -> Iterator[_Person]:
    for number in range(1, loaded.regular + 1):
        first, last = _FIRST[number % len(_FIRST)], _LAST[number // len(_FIRST) % len(_LAST)]
        born = loaded.shape.today - timedelta(days=7_000 + number * 37 % 18_000)
        is_insured = number % 10 < 7
        begins = loaded.shape.first_monday + timedelta(weeks=EPISODE_WEEKS * (number % loaded.shape.episodes))
        client_id = new_id()
        client = {
            "id": client_id, "first_name": first, "last_name": last, "birth_on": born, "phone": f"555-{number:07d}",
            "sex": "FMU"[number % 3], "email": f"client{number}@example.test", "address_1": f"{number} Elm Street",
            "city": "Juniper Falls", "state": "NJ", "postal_code": "08998", "external_id": f"client-{number}",
            "pays_by": "insurance" if is_insured else "self", "created_at": loaded.now,
            "set_payment_amount_cents": 9_000 if number % 50 == 9 else None,
            "search_text": search_text_of(names=(first, last), birth_on=born, phones=(f"555-{number:07d}",)),
        }  # fmt: skip
        coverage = {
            "id": new_id(), "client_id": client_id, "payer_id": loaded.payers[number % len(loaded.payers)],
            "insured_id": f"X{number:08d}", "starts_on": begins, "copay_cents": 2_500 if number % 10 < 5 else None,
        }  # fmt: skip
        diagnoses = [
            {"id": new_id(), "client_id": client_id, "code": code, "position": position, "starts_on": begins}
            for position, code in ((1, "F41.1"), (2, "F33.1"))
        ]
        yield _Person(client, coverage if is_insured else None, diagnoses if is_insured else [])


def _copy(connection: Connection, model: Any, loaded: Loaded, rows: Sequence[Any]) -> None:
    """Rows by COPY; a column that none of them names gets its field's default."""
    if not rows:
        return
    defaults = {name: value for name, (_, value) in defaults_of(model, rows[0]).items()}
    columns = ", ".join(f'"{name}"' for name in ["practice_id", *rows[0], *defaults])
    with connection.cursor().copy(f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([loaded.practice.id, *row.values(), *defaults.values()])
