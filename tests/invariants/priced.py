"""A practice with every kind of price, thrown by dice, and what each of its services must cost by docs/money/prices.md.

The reckoning here shares no code with the product: ranges are spelled out and searched, where the product keeps lower
bounds only. Dice are seeded, so that a failure comes again.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from daysheet.clients.models import Client, ClientIncome, Coverage, Payer
from daysheet.imports.plans.sets import insert_rows
from daysheet.invoicing.selection import LineEdit
from daysheet.practices.models import Location
from daysheet.schedule.models import Appointment, Visit, VisitService
from daysheet.services.models import (
    ClientService,
    IncomeScale,
    IncomeStep,
    PayerRate,
    PayerRule,
    ServiceType,
)
from tests.people import NOW

Row = dict[str, Any]
FIRST, DAYS = date(2026, 1, 1), 318
FAR = 10**15


@dataclass
class Priced:
    """The rows as they were written, by table, and the edits typed before billing."""

    rows: dict[type, list[Row]] = field(default_factory=lambda: defaultdict(list))
    edits: dict[UUID, LineEdit] = field(default_factory=dict)


@dataclass(frozen=True)
class Expected:
    """What a line must be. None in `modifiers` of a refused one: more than four do not fit."""

    rate_cents: int
    source: str
    units: int
    client_cents: int
    insurance_cents: int
    copay_cents: int
    modifiers: tuple[str, ...]
    place: str

    @property
    def is_refused(self) -> bool:
        return len(self.modifiers) > 4


def build_priced(seed: int, *, clients: int, staff_member_id: UUID) -> Priced:
    """Write the practice in sets; call inside its transaction."""
    dice = _Dice(seed, staff_member_id)
    dice.throw(clients)
    for model in (
        ServiceType, Payer, Location, PayerRate, PayerRule, IncomeScale, IncomeStep, Client, ClientService, Coverage,
        ClientIncome, Appointment, Visit, VisitService,
    ):  # fmt: skip
        insert_rows(model, dice.made.rows[model], now=NOW)
    return dice.made


class _Dice:
    """Throws rows. Every `_maybe` leaves some out, so that each kind of price is met with and without each other."""

    def __init__(self, seed: int, staff_member_id: UUID) -> None:
        self.dice, self.staff_member_id, self.made = Random(seed), staff_member_id, Priced()

    def throw(self, clients: int) -> None:
        for number in range(12):
            self._service(number)
        for number in range(6):
            self._add(Payer, name=f"Payer {number}")
        for place in ("11", "10", "02", "12"):
            self._add(Location, name=f"Place {place}", place_of_service=place)
        for payer in self.made.rows[Payer]:
            self._payer_prices(payer["id"])
        for number in range(5):
            self._scale(FIRST + timedelta(days=number * 70 - 30), number)
        for number in range(clients):
            self._client(number)

    def _id(self) -> UUID:
        return UUID(int=self.dice.getrandbits(128), version=4)

    def _add(self, model: type, **facts: Any) -> UUID:
        row = {"id": self._id(), **facts}
        self.made.rows[model].append(row)
        return UUID(int=row["id"].int)

    def _maybe(self, percent: int) -> bool:
        return self.dice.randrange(100) < percent

    def _day(self) -> date:
        return FIRST + timedelta(days=self.dice.randrange(DAYS))

    def _cents(self) -> int:
        return self.dice.choice((0, 1, self.dice.randrange(20_000), 5_000, 9_999))

    def _service(self, number: int) -> None:
        self._add(
            ServiceType, code=f"OWN{number:02d}", name=f"Service {number}", kind="non_cpt", rate_cents=self._cents(),
            unit_rule=self.dice.choice(("always", "per_minutes")), unit_count=self.dice.choice((1, 2, 15, 30, 45)),
            modifiers=self.dice.sample(("A1", "A2", "A3"), self.dice.choice((0, 0, 1, 2, 3))),
            bills_insurance=self._maybe(85),
        )  # fmt: skip

    def _payer_prices(self, payer_id: UUID) -> None:
        for service in self.made.rows[ServiceType]:
            for day in {self._day() for _ in range(self.dice.randrange(4))}:
                cents = self._cents() if self._maybe(80) else None
                self._add(PayerRate, payer_id=payer_id, service_type_id=service["id"], starts_on=day, rate_cents=cents)
        cases = [(service, place) for service in (None, *self._services()) for place in ("", "10", "02")]
        for service, place in self.dice.sample(cases, 10):
            for day in {self._day() for _ in range(self.dice.randrange(1, 3))}:
                self._rule(payer_id, service, place, day)

    def _rule(self, payer_id: UUID, service: UUID | None, place: str, day: date) -> None:
        ends = self._maybe(20)
        self._add(
            PayerRule, payer_id=payer_id, service_type_id=service, place_of_service=place, starts_on=day, is_end=ends,
            added_modifiers=[] if ends else self.dice.sample(("95", "GT", "HQ", "A1"), self.dice.randrange(4)),
            billed_place_of_service="" if ends else self.dice.choice(("", "", "10", "11")),
        )  # fmt: skip

    def _services(self) -> list[UUID]:
        return [row["id"] for row in self.made.rows[ServiceType]]

    def _scale(self, starts_on: date, number: int) -> None:
        scale = self._add(IncomeScale, starts_on=starts_on, period=("year", "month")[number % 2])
        own = self.dice.sample(self._services(), 3)
        for service in (None, *own) if number != 3 else own:
            for size in sorted({1, *(self.dice.randrange(1, 5) for _ in range(2))}):
                for cents in {self.dice.choice((0, 100_000, 250_000, 1_500_000, 4_000_000)) for _ in range(4)}:
                    amount = self._cents() if self._maybe(80) else None
                    self._add(
                        IncomeStep, scale_id=scale, service_type_id=service, household_from=size,
                        income_from_cents=cents, amount_cents=amount,
                    )  # fmt: skip

    def _client(self, number: int) -> None:
        client = self._add(
            Client, first_name="Ana", last_name=f"Nr{number}", pays_by=self.dice.choice(("insurance", "self")),
            set_payment_amount_cents=self._cents() if self._maybe(15) else None,
            rendering_override_id=self.staff_member_id if self._maybe(10) else None,
        )  # fmt: skip
        for service in self.dice.sample(self._services(), self.dice.randrange(3)):
            cents = self._cents() if self._maybe(50) else None
            self._add(ClientService, client_id=client, service_type_id=service, is_default=cents is None,
                      set_payment_amount_cents=cents)  # fmt: skip
        for rank in range(1, self.dice.randrange(1, 4)):
            self._coverage(client, rank)
        if self._maybe(60):
            for order in range(self.dice.randrange(1, 4)):
                self._income(client, order)
        days = [self._day() for _ in range(3)]
        for _ in range(self.dice.randrange(3, 6)):
            self._visit(client, self.dice.choice(days))

    def _coverage(self, client: UUID, rank: int) -> None:
        starts_on = self._day() if self._maybe(40) else FIRST
        self._add(
            Coverage, client_id=client, payer_id=self.dice.choice(self.made.rows[Payer])["id"], rank=rank,
            insured_id="X", starts_on=starts_on, copay_cents=self.dice.choice((None, 0, 1_000, 2_500, 30_000)),
            ends_on=starts_on + timedelta(days=self.dice.randrange(1, 200)) if self._maybe(40) else None,
        )  # fmt: skip

    def _income(self, client: UUID, order: int) -> None:
        given_on, back = self._day(), self._maybe(15)
        self._add(
            ClientIncome, client_id=client, given_on=given_on, recorded_at=NOW + timedelta(seconds=order),
            recorded_by_name="Bob", period=self.dice.choice(("year", "month")),
            income_cents=None if back else self.dice.choice((0, 99_999, 100_000, 333_333, 4_000_000)),
            household_size=None if back else self.dice.randrange(1, 7),
            renew_on=None if back or self._maybe(50) else given_on + timedelta(days=self.dice.randrange(1, 200)),
        )  # fmt: skip

    def _visit(self, client: UUID, day: date) -> None:
        starts_at = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
        appointment = self._add(
            Appointment, service_on=day, starts_at=starts_at, staff_member_id=self.staff_member_id,
            ends_at=starts_at + timedelta(minutes=self.dice.choice((1, 7, 8, 22, 23, 45, 46, 50, 120))),
            location_id=self.dice.choice(self.made.rows[Location])["id"],
            place_of_service=self.dice.choice(("", "", "10", "02")),
        )  # fmt: skip
        visit = self._add(Visit, appointment_id=appointment, client_id=client, service_on=day, status="kept")
        for position in range(1, self.dice.randrange(2, 5)):
            service = self._add(
                VisitService, visit_id=visit, service_on=day, position=position,
                service_type_id=self.dice.choice(self._services()),
                rate_cents=self._cents() if self._maybe(8) else None,
                units=self.dice.randrange(1, 5) if self._maybe(10) else None,
                modifiers=self.dice.sample(("HJ", "95"), self.dice.randrange(3)) if self._maybe(10) else None,
            )  # fmt: skip
            if self._maybe(10):
                self.made.edits[service] = LineEdit(
                    rate_cents=self._cents() if self._maybe(50) else None,
                    units=self.dice.randrange(1, 5) if self._maybe(30) else None,
                    modifiers=tuple(self.dice.sample(("HO", "GT"), 1)) if self._maybe(30) else None,
                    place_of_service=self.dice.choice(("10", "11")) if self._maybe(30) else None,
                )


class Reckoning:
    """What each visit service must be billed at, by the page alone."""

    def __init__(self, priced: Priced) -> None:
        self.priced, rows = priced, priced.rows
        self.by_id = {row["id"]: row for table in rows.values() for row in table}
        self.of_client: dict[type, dict[UUID, list[Row]]] = {}
        for model in (ClientService, Coverage, ClientIncome):
            self.of_client[model] = defaultdict(list)
            for row in rows[model]:
                self.of_client[model][row["client_id"]].append(row)
        self.rates: dict[tuple[UUID, UUID], list[Row]] = defaultdict(list)
        for row in rows[PayerRate]:
            self.rates[row["payer_id"], row["service_type_id"]].append(row)
        self.rules: dict[tuple[UUID, UUID | None, str], list[Row]] = defaultdict(list)
        for row in rows[PayerRule]:
            self.rules[row["payer_id"], row["service_type_id"], row["place_of_service"]].append(row)
        self.steps: dict[UUID, list[Row]] = defaultdict(list)
        for row in rows[IncomeStep]:
            self.steps[row["scale_id"]].append(row)

    def expect(self, service_ids: set[UUID], *, copay_taken: dict[tuple[UUID, date], int]) -> dict[UUID, Expected]:
        """In the order in which lines of a client's date share its copay; refused ones take none of it."""
        taken, found = dict(copay_taken), {}
        services = [row for row in self.priced.rows[VisitService] if row["id"] in service_ids]
        for row in sorted(services, key=lambda r: (r["service_on"], str(r["visit_id"]), r["position"], str(r["id"]))):
            key = (self.by_id[row["visit_id"]]["client_id"], row["service_on"])
            expected = self._line(row, taken.get(key, 0))
            if not expected.is_refused:
                taken[key] = taken.get(key, 0) + expected.copay_cents
            found[row["id"]] = expected
        return found

    def _line(self, row: Row, copay_taken: int) -> Expected:
        edit = self.priced.edits.get(row["id"], LineEdit())
        visit = self.by_id[row["visit_id"]]
        appointment, client = self.by_id[visit["appointment_id"]], self.by_id[visit["client_id"]]
        service, day = self.by_id[row["service_type_id"]], row["service_on"]
        coverage = self._coverage(client, day) if service["bills_insurance"] else None
        rate, source = self._rate(row, edit, client, service, coverage, day)
        units = edit.units or row["units"] or self._units(service, appointment)
        client_cents, copay = rate * units, 0
        if coverage:
            copay = min(rate * units, max(0, (coverage["copay_cents"] or 0) - copay_taken))
            client_cents = copay
        place = appointment["place_of_service"] or self.by_id[appointment["location_id"]]["place_of_service"]
        modifiers, billed = self._modifiers(row, edit, service, coverage, edit.place_of_service or place, day)
        return Expected(
            rate, source, units, client_cents, rate * units - client_cents, copay, modifiers,
            edit.place_of_service or billed or place,
        )  # fmt: skip

    def _coverage(self, client: Row, day: date) -> Row | None:
        if client["pays_by"] == "self":
            return None
        for coverage in sorted(self.of_client[Coverage][client["id"]], key=lambda row: row["rank"]):
            if coverage["starts_on"] <= day < (coverage["ends_on"] or date.max):
                return dict(coverage)
        return None

    def _rate(
        self, row: Row, edit: LineEdit, client: Row, service: Row, coverage: Row | None, day: date
    ) -> tuple[int, str]:
        if edit.rate_cents is not None:
            return edit.rate_cents, "edited"
        if row["rate_cents"] is not None:
            return row["rate_cents"], "visit"
        for agreed in self.of_client[ClientService][client["id"]]:
            if agreed["service_type_id"] == service["id"] and agreed["set_payment_amount_cents"] is not None:
                return agreed["set_payment_amount_cents"], "client"
        if client["set_payment_amount_cents"] is not None:
            return client["set_payment_amount_cents"], "client"
        if coverage:
            rate = _last_begun(self.rates[coverage["payer_id"], service["id"]], day)
            if rate and rate["rate_cents"] is not None:
                return rate["rate_cents"], "payer"
        by_income = self._by_income(client, service, day)
        return (service["rate_cents"], "service") if by_income is None else (by_income, "income")

    def _by_income(self, client: Row, service: Row, day: date) -> int | None:
        given = [row for row in self.of_client[ClientIncome][client["id"]] if row["given_on"] <= day]
        scale = _last_begun(self.priced.rows[IncomeScale], day)
        if not given or scale is None:
            return None
        newest = max(given, key=lambda row: (row["given_on"], row["recorded_at"]))
        if newest["income_cents"] is None or (newest["renew_on"] and newest["renew_on"] <= day):
            return None
        yearly = newest["income_cents"] * {"year": 1, "month": 12}[newest["period"]]
        steps = self.steps[scale["id"]]
        meant = [s for s in steps if s["service_type_id"] == service["id"]] or [
            s for s in steps if s["service_type_id"] is None
        ]
        for low, high, amount in _ranges(meant, newest["household_size"], 12 if scale["period"] == "month" else 1):
            if low <= yearly < high:
                return amount
        return None

    def _units(self, service: Row, appointment: Row) -> int:
        if service["unit_rule"] == "always":
            return int(service["unit_count"])
        half_minutes = 2 * ((appointment["ends_at"] - appointment["starts_at"]) // timedelta(minutes=1))
        units = 0
        while half_minutes > (2 * units + 1) * service["unit_count"]:
            units += 1
        return units or 1

    def _modifiers(
        self, row: Row, edit: LineEdit, service: Row, coverage: Row | None, place: str, day: date
    ) -> tuple[tuple[str, ...], str]:
        rule = None
        for service_id, where in ((service["id"], place), (service["id"], ""), (None, place), (None, "")):
            standing = _last_begun(self.rules[coverage["payer_id"], service_id, where], day) if coverage else None
            if rule is None and standing and not standing["is_end"]:
                rule = standing
        billed = rule["billed_place_of_service"] if rule else ""
        if edit.modifiers is not None:
            return edit.modifiers, billed
        if row["modifiers"] is not None:
            return tuple(row["modifiers"]), billed
        added = rule["added_modifiers"] if rule else []
        return tuple(dict.fromkeys([*service["modifiers"], *added])), billed


def _last_begun(rows: list[Row], day: date) -> Row | None:
    begun = sorted((row for row in rows if row["starts_on"] <= day), key=lambda row: row["starts_on"])
    return begun[-1] if begun else None


def _ranges(steps: list[Row], household: int, times: int) -> list[tuple[int, int, int | None]]:
    """(from, up to, amount) of the household's steps, spelled out."""
    sizes = sorted({step["household_from"] for step in steps})
    ends = [*sizes[1:], 10**6]
    mine = [size for size, end in zip(sizes, ends, strict=False) if size <= household < end]
    of_size = sorted((s for s in steps if s["household_from"] in mine), key=lambda s: s["income_from_cents"])
    lows = [step["income_from_cents"] * times for step in of_size]
    highs = [*lows[1:], FAR]
    amounts = [step["amount_cents"] for step in of_size]
    return list(zip(lows, highs, amounts, strict=False))
