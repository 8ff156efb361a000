"""What a demo practice is made of, decided from a seed and a day: rows of the import templates, and who signs in.

Pure: the same seed and day give the same rows, so that a load that was killed can be carried on with.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from daysheet.kit.npi import npi_check_digit

from .names import CITIES, FIRST_NAMES, INSURERS, LAST_NAMES, SERVICE_TYPES, STATE, STREETS

Row = dict[str, str]
#: Weeks of appointments that lie ahead of the demo's day.
_WEEKS_AHEAD = 2
#: Of so many clients one is booked as a series; the others date by date, as practices do that came from paper.
_SERIES_OF = 6
#: Of 1,000 past appointments.
_MISSED = (("No Show", 40), ("Late Cancel", 30), ("Canceled", 40), ("Rescheduled", 12))


@dataclass(frozen=True, slots=True)
class Login:
    """A staff member who signs in. `permissions` are values of `Permission`."""

    staff_id: str
    email: str
    permissions: tuple[str, ...]
    limited_to_assigned: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a demo practice is, and where."""

    slug: str
    name: str
    time_zone: str
    months: int
    clients: int
    staff: tuple[Row, ...]
    locations: tuple[Row, ...]
    logins: tuple[Login, ...]
    groups: int = 0
    #: The provider who began a month ago and has no licence.
    unlicensed: str = ""

    @property
    def owner(self) -> Row:
        """The first of the staff."""
        return self.staff[0]

    @property
    def providers(self) -> tuple[str, ...]:
        """IDs of everybody who renders."""
        return tuple(row["ID"] for row in self.staff if row["Provider"] == "yes")


def _person(number: int, first: str, last: str, credentials: str = "", email: str = "") -> Row:
    # NPIs of living providers begin with 1; those here begin with 2.
    stem = f"20{number:07d}"
    npi = stem + npi_check_digit(stem) if credentials else ""
    return {
        "ID": f"staff-{number}", "First Name": first, "Last Name": last, "Credentials": credentials,
        "Email": email or f"{first.lower()}@staff.daysheet.example", "NPI": npi,
        "Provider": "yes" if credentials else "no",
    }  # fmt: skip


def _location(key: str, name: str, place: str, city: tuple[str, str]) -> Row:
    return {
        "ID": key, "Name": name, "Place of Service": place, "Phone": "555-0100", "Address 1": f"10 {STREETS[0]}",
        "City": city[0], "State": STATE, "ZIP": city[1],
    }  # fmt: skip


JUNIPER = Shape(
    slug="juniper",
    name="Juniper Counseling",
    time_zone="America/New_York",
    months=14,
    clients=400,
    groups=5,
    unlicensed="staff-9",
    staff=(
        _person(1, "Nora", "Juniper", "PsyD", "owner@demo.daysheet.example"),
        _person(2, "Clive", "Marlowe", "LCSW", "clinician@demo.daysheet.example"),
        _person(3, "Ruth", "Sandford", "LPC"),
        _person(4, "Omar", "Delacroix", "LMFT"),
        _person(5, "Hetty", "Quinlan", "PhD"),
        _person(6, "Tobias", "Fairweather", "LCSW"),
        _person(7, "Mei", "Larkspur", "LPC"),
        _person(8, "Ansel", "Roth-Dunn", "PsyD"),
        _person(9, "Piper", "Newcombe", "LMFT"),
        _person(10, "Greer", "Atwell", email="admin@demo.daysheet.example"),
        _person(11, "Bo", "Ledgerwood", email="biller@demo.daysheet.example"),
        _person(12, "Fern", "Desmond", email="frontdesk@demo.daysheet.example"),
    ),
    locations=(
        _location("main", "Main Office", "11", CITIES[1]),
        _location("harborside", "Harborside Office", "11", CITIES[2]),
        _location("telehealth", "Telehealth", "10", CITIES[1]),
    ),
    logins=(
        Login("staff-1", "owner@demo.daysheet.example", ("organization_administrator",)),
        Login("staff-10", "admin@demo.daysheet.example", ("administrator",)),
        Login("staff-11", "biller@demo.daysheet.example", ("billing", "submit_claims")),
        Login("staff-2", "clinician@demo.daysheet.example", ("provider",), limited_to_assigned=True),
        Login("staff-12", "frontdesk@demo.daysheet.example", ()),
    ),
)
BIRCH = Shape(
    slug="birch-hollow",
    name="Birch Hollow Therapy",
    time_zone="America/Chicago",
    months=3,
    clients=12,
    staff=(
        _person(1, "Olga", "Birchwood", "LCSW", "owner@other.daysheet.example"),
        _person(2, "Sam", "Hollowell-Pike", "LPC"),
    ),
    locations=(_location("studio", "Studio", "11", CITIES[0]),),
    logins=(Login("staff-1", "owner@other.daysheet.example", ("organization_administrator",)),),
)


def scaled_clients(shape: Shape, visits: int | None) -> int:
    """How many clients give about so many visits; about fifty visits come of one over fourteen months."""
    usual = shape.clients * 50 * shape.months // 14
    return shape.clients if visits is None else max(8, shape.clients * visits // usual)


@dataclass(frozen=True, slots=True)
class _Person:
    """One client's habits."""

    id: str
    provider: str
    location: str
    weekday: int
    hour: int
    every_weeks: int
    first_on: date
    last_on: date
    service: str


class Demo:
    """Everything about one demo practice, as rows of the templates."""

    def __init__(self, shape: Shape, *, seed: int, today: date, clients: int) -> None:
        self.shape, self.today = shape, today
        self.random = random.Random(f"{shape.slug} {seed}")  # noqa: S311 - sample data, no secret
        month = today.year * 12 + today.month - 1 - shape.months
        self.begins_on = date(month // 12, month % 12 + 1, 1)
        self._people = [self._habits(number) for number in range(1, clients + 1)]
        self.clients = [self._client(person) for person in self._people]
        insured = [row for row in self.clients if row["Pays By"] == "Insurance"]
        self.coverages = [self._coverage(row) for row in insured]
        self.appointments = [*self._weekly(), *self._groups()]

    def files(self) -> Iterator[tuple[str, list[Row]]]:
        """(template, rows) in the order of import. The staff are a file of their own, taken before."""
        yield "locations", list(self.shape.locations)
        yield "payers", [{"ID": key, "Name": name, "Payer Code": code} for key, name, code in INSURERS]
        yield "service_types", [dict(row) for row in SERVICE_TYPES]
        yield "clients", self.clients
        yield "coverages", self.coverages
        yield "appointments", self.appointments

    def series(self) -> Iterator[list[str]]:
        """IDs of appointments that were booked together, in order: some clients who still come, and the first group."""
        coming = {person.id for person in self._people[::_SERIES_OF] if person.last_on > self.today} | {"group-0"}
        found: dict[str, list[str]] = {}
        for row in self.appointments:
            thread = row["Appointment ID"].rpartition("-")[0]
            if thread in coming and row["Service Type"] != "intake":
                found.setdefault(thread, []).append(row["Appointment ID"])
        for ids in found.values():
            yield list(dict.fromkeys(ids))

    def _habits(self, number: int) -> _Person:
        pick = self.random
        providers = [key for key in self.shape.providers if key != self.shape.unlicensed]
        newcomer = bool(self.shape.unlicensed) and number % 20 == 0
        long_ago = (self.today - self.begins_on).days
        first = self.begins_on + timedelta(days=0 if pick.random() < 0.6 else pick.randrange(max(1, long_ago - 60)))
        last = self.today + timedelta(weeks=_WEEKS_AHEAD)
        if pick.random() < 0.15:
            last = first + timedelta(days=pick.randrange(90, max(91, long_ago)))
        if newcomer:
            first, last = self.today - timedelta(days=35), self.today + timedelta(weeks=_WEEKS_AHEAD)
        return _Person(
            id=f"client-{number}",
            provider=self.shape.unlicensed if newcomer else pick.choice(providers),
            location=pick.choice([row["ID"] for row in self.shape.locations]),
            weekday=pick.randrange(5),
            hour=pick.randrange(8, 18),
            every_weeks=1 if pick.random() < 0.9 else 2,
            first_on=first,
            last_on=min(last, self.today + timedelta(weeks=_WEEKS_AHEAD)),
            service=pick.choices(("long", "short", "family"), (80, 12, 8))[0],
        )

    def _client(self, person: _Person) -> Row:
        pick = self.random
        city, postal_code = pick.choice(CITIES)
        first = pick.choice(FIRST_NAMES)
        born = date(self.today.year - pick.randrange(9, 79), pick.randrange(1, 13), pick.randrange(1, 29))
        return {
            "ID": person.id, "First Name": first, "Last Name": pick.choice(LAST_NAMES),
            "Preferred Name": pick.choice(FIRST_NAMES) if pick.random() < 0.06 else "", "Birth Date": born.isoformat(),
            "Sex": pick.choice("FMU" if pick.random() < 0.05 else "FM"),
            "Email": f"{person.id}@clients.daysheet.example", "Phone": f"(555) 555-{pick.randrange(100, 200):04d}",
            "Address 1": f"{pick.randrange(1, 400)} {pick.choice(STREETS)}", "City": city, "State": STATE,
            "ZIP": postal_code, "Active": "yes" if person.last_on > self.today else "no",
            "Pays By": "Insurance" if pick.random() < 0.65 else "Self",
            "Set Payment Amount": "90.00" if pick.random() < 0.05 else "", "Assigned Staff": person.provider,
        }  # fmt: skip

    def _coverage(self, client: Row) -> Row:
        pick = self.random
        return {
            "ID": f"policy-{client['ID']}", "Client": client["ID"], "Payer": pick.choice(INSURERS)[0],
            "Insured ID": f"DEMO{pick.randrange(10**8):08d}", "Group Number": f"G{pick.randrange(1000):03d}",
            "Copay": pick.choice(("20.00", "25.00", "30.00", "40.00", "")), "Starts On": f"{self.begins_on.year}-01-01",
        }  # fmt: skip

    def _weekly(self) -> Iterator[Row]:
        for person in self._people:
            day = person.first_on + timedelta(days=(person.weekday - person.first_on.weekday()) % 7)
            is_first = person.first_on > self.begins_on
            number = 0
            while day <= person.last_on:
                number += 1
                service = "intake" if is_first and number == 1 else person.service
                yield from self._visit(person, day, f"{person.id}-{number}", service)
                day += timedelta(weeks=person.every_weeks)

    def _visit(self, person: _Person, day: date, key: str, service: str) -> Iterator[Row]:
        status = self._status(day)
        row = {
            "Appointment ID": key, "Visit ID": key, "Service ID": key, "Start": f"{day} {person.hour:02d}:00",
            "Minutes": {"intake": "60", "short": "30", "family": "60"}.get(service, "50"), "Staff": person.provider,
            "Location": person.location, "Title": "", "Client": person.id, "Status": status,
            "Initiated By": "Client" if status not in ("Kept", "Upcoming") else "", "Fee Waived Because": "",
            "Service Type": service, "Modifiers": "GT" if person.location == "telehealth" else "",
        }  # fmt: skip
        fee = {"No Show": "noshow", "Late Cancel": "late"}.get(status)
        if fee and self.random.random() < 0.35:
            row["Fee Waived Because"] = self.random.choice(("Ill", "First time", "Weather"))
            fee = None
        yield row
        if fee:
            yield row | {"Service ID": f"{key}-fee", "Service Type": fee, "Modifiers": ""}
        elif status == "Kept" and self.random.random() < 0.03:
            yield row | {"Service ID": f"{key}-care", "Service Type": "care", "Modifiers": ""}

    def _groups(self) -> Iterator[Row]:
        """Weekly groups of eight in the evening, led by providers in turn."""
        leaders = [key for key in self.shape.providers if key != self.shape.unlicensed]
        for number in range(min(self.shape.groups, len(self._people) // 8)):
            members = self.random.sample(self._people, 8)
            day = self.begins_on + timedelta(days=(number - self.begins_on.weekday()) % 7)
            week = 0
            while day <= self.today + timedelta(weeks=_WEEKS_AHEAD):
                week += 1
                for person in members:
                    if person.first_on <= day <= person.last_on:
                        yield self._member(f"group-{number}-{week}", leaders[number % len(leaders)], day, person.id)
                day += timedelta(weeks=1)

    def _member(self, key: str, leader: str, day: date, client: str) -> Row:
        status = self._status(day)
        return {
            "Appointment ID": key, "Visit ID": f"{key}-{client}", "Service ID": f"{key}-{client}",
            "Start": f"{day} 18:30", "Minutes": "90", "Staff": leader, "Location": self.shape.locations[0]["ID"],
            "Title": "Evening group", "Client": client, "Status": status,
            "Initiated By": "Client" if status not in ("Kept", "Upcoming") else "",
            "Fee Waived Because": "Groups have no fee" if status in ("No Show", "Late Cancel") else "",
            "Service Type": "group", "Modifiers": "",
        }  # fmt: skip

    def _status(self, day: date) -> str:
        if day >= self.today:
            return "Upcoming"
        drawn = self.random.randrange(1000)
        for status, share in _MISSED:
            if drawn < share:
                return status
            drawn -= share
        return "Kept"
