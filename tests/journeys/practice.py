"""The practice that the journeys are made in: built by the real actions, in a process of its own, in the database that
DATABASE_URL names. Prints what a journey has to know (ids and dates) as JSON.

Each journey has clients and days of its own, so that none depends on another. Days are counted from the practice's
own today, because the server runs on the real clock.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import django

from .calendar_days import a_week_of_appointments
from .everything import ids_of_everything
from .posted import posted_clients
from .priced import priced_clients
from .staff import people_of_alder

if TYPE_CHECKING:
    from daysheet.practices.actor import Actor
    from tests.people import Cast

#: Days before today of what the batch journeys bill: far apart, so that no search finds another journey's dates.
BATCH, RETRY, UNDO, NO_SCRIPT_BATCH, TWICE = 300, 330, 360, 390, 420


class NamedOnce(dict[str, str]):
    """Ids by name. Journeys share one practice: a second thing of a name would silently become that of another's."""

    def __setitem__(self, name: str, value: str) -> None:
        if name in self:
            raise ValueError(f"“{name}” stands for two things in the practice of the journeys: give one another name")
        super().__setitem__(name, value)


@dataclass
class Practice:
    """What is built, and by whom."""

    today: date
    clients: NamedOnce = field(default_factory=NamedOnce)
    visits: NamedOnce = field(default_factory=NamedOnce)
    appointments: NamedOnce = field(default_factory=NamedOnce)
    staff: NamedOnce = field(default_factory=NamedOnce)
    everything: dict[str, str] = field(default_factory=dict)

    def printed(self) -> str:
        """For the process that runs the journeys."""
        return json.dumps({**self.__dict__, "today": self.today.isoformat()})


def build() -> Practice:
    """Alder Clinic, with a reason for every journey, and Birch Practice, whose owner is a stranger there."""
    from daysheet.database.scope import practice_transaction
    from daysheet.kit.dates import utc_now
    from daysheet.kit.ids import new_id
    from daysheet.practices.permissions import Permission
    from daysheet.services.actions import add_service_type
    from daysheet.staff.actions import add_staff_member
    from daysheet.staff.licenses.actions import assign_license
    from daysheet.staff.organization.actions import add_location, set_sign_in_rules
    from tests.people import build_cast

    now = utc_now()
    # What is made for today is looked at as today's: not where the day is about to end.
    is_late = now.astimezone(ZoneInfo("America/New_York")).hour == 23
    cast = build_cast(now, time_zone="America/Los_Angeles" if is_late else "America/New_York")
    owner = cast.actor(cast.alice, now=now)
    with practice_transaction(cast.alder.id):
        practice = Practice(owner.today)
        # Nobody's window is asked for the password while another journey takes its time.
        set_sign_in_rules(owner, requires_two_step=False, idle_minutes=480)
        assign_license(owner, cast.carol.staff_member_id)
        practice.staff["carol"] = str(cast.carol.staff_member_id)
        for first, last in (("Nora", "Newcomer"), ("Otto", "Later")):
            person = add_staff_member(
                owner, first_name=first, last_name=last, permissions=[Permission.PROVIDER], is_provider=True
            )
            practice.staff[first.lower()] = str(person.pk)
        builder = _Builder(
            practice,
            owner,
            location_id=add_location(owner, location_id=new_id(), name="Main office", place_of_service="11").pk,
            talk=add_service_type(owner, code="9T001", name="Talk", kind="cpt", rate_cents=15000).pk,
            letter=add_service_type(
                owner, code="LETTER", name="Letter", kind="non_cpt", rate_cents=4000, bills_insurance=False
            ).pk,
        )
        add_service_type(
            owner, code="NOSHOW", name="Missed appointment", kind="non_cpt", rate_cents=7500, bills_insurance=False,
            is_no_show_fee=True,
        )  # fmt: skip
        add_service_type(
            owner, code="LATE", name="Canceled late", kind="non_cpt", rate_cents=5000, bills_insurance=False,
            is_late_cancel_fee=True,
        )  # fmt: skip
        people_of_alder(builder)
        builder.agenda()
        builder.editor()
        builder.batches()
        builder.money()
        builder.cards()
        posted_clients(builder)
        priced_clients(builder)
        builder.documents()
        builder.repeated()
        a_week_of_appointments(builder)
        practice.everything = ids_of_everything(builder)
    practice.everything.update(_a_day_to_close(cast, now))
    return practice


def _a_day_to_close(cast: Cast, now: datetime) -> dict[str, str]:
    """In Birch Practice, whose books no other journey needs: a bill of $100 and a payment of $60, of the day before."""
    from daysheet.clients.actions import add_client
    from daysheet.database.scope import practice_transaction
    from daysheet.invoicing.actions import issue_invoices
    from daysheet.invoicing.selection import ManualLine, Selection
    from daysheet.payments.actions import accept_payment
    from daysheet.staff.organization.actions import set_sign_in_rules

    with practice_transaction(cast.birch.id):
        charlie = cast.actor(cast.charlie, now=now - timedelta(days=1))
        set_sign_in_rules(charlie, requires_two_step=False, idle_minutes=480)
        client = add_client(charlie, first_name="Dara", last_name="Dayend").pk
        line = ManualLine(None, "Records", charlie.today, 1, 10000)
        issue_invoices(charlie, selection=Selection((), manual=(line,), client_id=client), door="ledger")
        paid = accept_payment(
            charlie, request_key=uuid4(), client_id=client, amount_cents=6000, method="cash",
            received_on=charlie.today, applications={},
        )  # fmt: skip
    return {"closing_day": charlie.today.isoformat(), "closing_payment": str(paid.payment_id)}


class _Builder:
    """Clients and their appointments; `talk` costs $150, `letter` $40."""

    def __init__(self, practice: Practice, owner: Actor, *, location_id: UUID, talk: UUID, letter: UUID) -> None:
        self.practice = practice
        self.owner = owner
        self.location_id = location_id
        self.talk = talk
        self.letter = letter
        self._at = 0

    def agenda(self) -> None:
        """Today: one visit for each way of pressing Add Invoice, a group of four, and a provider with no license."""
        both = (self.talk, self.letter)
        self.visit("agenda", self.client("Abel", "Agenda"), *both)
        self.visit("no_script", self.client("Nadia", "Noscript"), *both)
        self.visit("twice", self.client("Tara", "Twice"), self.letter)
        self.visit("license", self.client("Lena", "License"), self.talk, staff="nora")
        self.visit("frozen", self.client("Fay", "Front"), self.talk, status="upcoming")
        for first in ("Stella", "Steen", "Sila"):  # one for each way to change a status
            self.visit(f"status_{first.lower()}", self.client(first, "Status"), self.talk, status="upcoming")
        members = [self.client(first, "Group") for first in ("Gail", "Gene", "Gina", "Guy")]
        self.appointment("group", members, (self.talk,), title="Tuesday circle")

    def editor(self) -> None:
        """Unbilled dates inside and outside of Recent 30 Days, and one to come."""
        edith = self.client("Edith", "Editor")
        for name, days in (("recent", 6), ("older", 13), ("long_ago", 45), ("to_come", -9)):
            status = "kept" if days > 0 else "upcoming"
            self.visit(f"editor_{name}", edith, self.talk, days_ago=days, status=status)
        swift = self.client("Swantje", "Swift")
        for name, days in (("recent", 6), ("older", 13)):
            self.visit(f"swift_{name}", swift, self.talk, days_ago=days)
        for first in ("Sam", "Stan", "Prue"):  # one for each way to save
            self.visit(f"saver_{first.lower()}", self.client(first, "Saver"), self.letter, days_ago=3)
        carmen = self.client("Carmen", "Claimed", insurer=self.insurer("Claim Mutual"), copay_cents=2000)
        self.visit("claimed", carmen, self.talk, days_ago=3)
        nico = self.client("Nico", "Noscript")
        for name, days in (("recent", 4), ("older", 11), ("long_ago", 50)):
            self.visit(f"nico_{name}", nico, self.letter, days_ago=days)

    def batches(self) -> None:
        """Ranges of their own. In them: what comes ticked, what does not, and for the retry what is refused."""
        for prefix, days in (("batch", BATCH), ("script", NO_SCRIPT_BATCH)):
            names = ("Bea", "Ben", "Bob") if prefix == "batch" else ("Sia", "Sid", "Sol")
            last = "Batch" if prefix == "batch" else "Scriptless"
            one, two, three = (self.client(name, last) for name in names)
            self.visit(f"{prefix}_one", one, self.talk, days_ago=days)
            self.visit(f"{prefix}_one_again", one, self.talk, self.letter, days_ago=days - 1)
            self.visit(f"{prefix}_two", two, self.talk, days_ago=days)
            self.visit(f"{prefix}_three", three, self.letter, days_ago=days)
            self.visit(f"{prefix}_off", three, self.talk, days_ago=days - 1, status="canceled")
        mia, lou = self.client("Mia", "Missed"), self.client("Lou", "Missed")
        for name, client, days, status, fee in (
            ("no_show_fee", mia, BATCH, "no_show", True),
            ("no_show_waived", mia, BATCH - 1, "no_show", False),
            ("late_fee", lou, BATCH, "late_cancel", True),
            ("late_waived", lou, BATCH - 1, "late_cancel", False),
        ):
            self.visit(name, client, self.talk, days_ago=days, status=status, charge_fee=fee)
        self.visit("twice_one", self.client("Tim", "Twofold"), self.letter, days_ago=TWICE)
        self.visit("twice_two", self.client("Tom", "Twofold"), self.letter, days_ago=TWICE)
        self.visit("overtaken", self.client("Ora", "Overtaken"), self.letter, days_ago=TWICE + 30)
        self.visit("retry_good", self.client("Rae", "Retry"), self.talk, days_ago=RETRY)
        self.visit("retry_bad", self.client("Ron", "Retry"), self.talk, days_ago=RETRY, staff="otto")
        self.visit("undo_one", self.client("Una", "Undo"), self.talk, days_ago=UNDO)
        self.visit("undo_two", self.client("Uri", "Undo"), self.letter, days_ago=UNDO)

    def documents(self) -> None:
        """A client with a bill and a payment; one who pays alone and comes next week."""
        from daysheet.clients.actions import add_diagnosis, edit_client
        from daysheet.invoicing.models import InvoiceLine
        from daysheet.payments.actions import accept_payment

        today = self.practice.today
        dolf, gwen = self.client("Dolf", "Statement"), self.client("Gwen", "Statement")
        add_diagnosis(self.owner, dolf, code="F41.1", name="Anxiety", starts_on=today - timedelta(days=400))
        self.billed("statement", dolf, self.talk, self.letter, days_ago=12)
        line = InvoiceLine.objects.filter(client_id=dolf).order_by("position")[0]
        accept_payment(
            self.owner, request_key=uuid4(), client_id=dolf, amount_cents=10000, method="check", number="101",
            received_on=today, applications={line.pk: 9000},
        )  # fmt: skip
        self.billed("double", self.client("Duane", "Double"), self.letter, days_ago=12)
        edit_client(self.owner, gwen, birth_on=today - timedelta(days=12000))
        for week in (1, 2, 3):
            self.visit(f"estimate_{week}", gwen, self.talk, days_ago=-7 * week, status="upcoming")

    def money(self) -> None:
        """Clients who owe, one for each journey of money; one with nothing yet to note on; and what an insurer's
        cheque of ten lines is for."""
        northern, harbor = self.insurer("Northern Health"), self.insurer("Harbor Health")
        self.billed("payer", self.client("Pia", "Payer"), self.talk, days_ago=8)
        self.billed("copay", self.client("Cora", "Copay", insurer=northern, copay_cents=3000), self.talk, days_ago=8)
        olga = self.client("Olga", "Over")
        self.billed("over", olga, self.talk, days_ago=8)
        self.visit("over_next", olga, self.letter, days_ago=1)
        self.billed("write_off", self.client("Wes", "Writeoff"), self.talk, days_ago=8)
        self.billed("deductible", self.client("Dora", "Deductible", insurer=northern), self.talk, days_ago=8)
        self.billed("rebill", self.client("Rita", "Rebill"), self.talk, days_ago=8)
        self.client("Nell", "Notes")
        for first in (
            "Odette",
            "Tess",
            "Dov",
            "Ulla",
            "Vito",
            "Igor",
            "Tilda",
            "Theo",
            "Kim",
        ):  # one for each attempt on money
            self.billed(f"tried_{first.lower()}", self.client(first, "Tried"), self.talk, days_ago=8)
        for week, first in enumerate(("Hal", "Hana", "Hank", "Hedy", "Hugo")):
            client = self.client(first, "Harbor", insurer=harbor)
            for days in (7 * week + 40, 7 * week + 41):
                self.billed(f"harbor_{days}", client, self.talk, days_ago=days)

    def cards(self) -> None:
        """Four clients who owe $40 each and will pay by card, and one who pays before the visit."""
        from daysheet.invoicing.actions import bill_visit

        for first in ("Carla", "Dena", "Sten", "Clio"):
            self.visit(first.lower(), self.client(first, "Card"), self.letter, days_ago=8)
            bill_visit(self.owner, visit_id=UUID(self.practice.visits[first.lower()]))
        self.visit("prepaid", self.client("Petra", "Prepaid"), self.letter, status="upcoming")

    def repeated(self) -> None:
        """A client who will get a series, one with a series whose second appointment is billed, one with a series to
        come, a group that meets weekly, and somebody who comes late to it. Far from the days of other journeys."""
        from daysheet.invoicing.actions import bill_visit
        from daysheet.schedule.models import Visit

        first = self.practice.today - timedelta(days=500)
        self.client("Serena", "Series")
        sam = self.client("Saul", "Series")
        self.series("sam", [sam], count=6, first=first)
        second = Visit.objects.get(appointment_id=self.practice.appointments["sam_1"])
        bill_visit(self.owner, visit_id=second.pk)
        quinn = self.client("Quinn", "Quits")
        self.series("quinn", [quinn], count=5, first=self.practice.today + timedelta(days=3))
        members = [self.client(first_name, "Weekly") for first_name in ("Wanda", "Wim")]
        self.series("weekly", members, count=4, first=first, title="Monday group")
        self.client("Lara", "Latecomer")
        rhea = self.client("Rhea", "Rarely")
        self.series("rhea", [rhea], count=6, first=self.practice.today - timedelta(days=430))
        bill_visit(self.owner, visit_id=Visit.objects.get(appointment_id=self.practice.appointments["rhea_1"]).pk)

    def insurer(self, name: str) -> UUID:
        """A payer."""
        from daysheet.clients.actions import add_payer

        return UUID(str(add_payer(self.owner, name=name).pk))

    def client(self, first: str, last: str, *, insurer: UUID | None = None, copay_cents: int | None = None) -> UUID:
        """A client who pays by self, or by insurance, with a copay or without."""
        from daysheet.clients.actions import add_client, add_coverage, set_bill_to

        client = add_client(self.owner, first_name=first, last_name=last, birth_on=date(1990, 2, 3))
        self.practice.clients[first.lower()] = str(client.pk)
        if insurer is not None:
            add_coverage(
                self.owner, client.pk, payer_id=insurer, insured_id="X1", copay_cents=copay_cents,
                starts_on=self.practice.today - timedelta(days=400),
            )  # fmt: skip
            set_bill_to(self.owner, client.pk, pays_by="insurance")
        return client.pk

    def billed(self, name: str, client: UUID, *services: UUID, days_ago: int) -> None:
        """A visit that has its invoice."""
        from daysheet.invoicing.actions import bill_visit

        self.visit(name, client, *services, days_ago=days_ago)
        bill_visit(self.owner, visit_id=UUID(self.practice.visits[name]))

    def visit(
        self,
        name: str,
        client: UUID,
        *services: UUID,
        days_ago: int = 0,
        status: str = "kept",
        staff: str = "carol",
        charge_fee: bool = False,
    ) -> None:
        """One client's appointment, known to the journeys as `name`."""
        visit_ids = self.appointment(
            name, [client], services, days_ago=days_ago, status=status, staff=staff, charge_fee=charge_fee
        )
        self.practice.visits[name] = str(visit_ids[0])

    def series(self, name: str, clients: Sequence[UUID], *, count: int, first: date, title: str = "") -> UUID:
        """A weekly series of letters at 3:00 PM with Otto; `name` and a number is each of its appointments."""
        from daysheet.schedule.actions import ServiceChoice, Slot
        from daysheet.schedule.models import Appointment
        from daysheet.schedule.series import add_series
        from daysheet.schedule.series_rules import Frequency, begin

        otto = UUID(self.practice.staff["otto"])
        series_id = add_series(
            self.owner,
            slot=Slot(first, time(15), 50, otto, self.location_id, title=title),
            members={client: [ServiceChoice(self.letter)] for client in clients},
            repeat=begin(Frequency.WEEKLY, first, count=count),
        )
        for number, appointment in enumerate(Appointment.objects.filter(series=series_id).order_by("occurrence_on")):
            self.practice.appointments[f"{name}_{number}"] = str(appointment.pk)
        return series_id

    def appointment(
        self,
        name: str,
        clients: Sequence[UUID],
        services: Sequence[UUID],
        *,
        days_ago: int = 0,
        status: str = "kept",
        staff: str = "carol",
        title: str = "",
        charge_fee: bool = False,
    ) -> list[UUID]:
        """An appointment of these clients, each with all services and the status; a fee not charged is waived."""
        from daysheet.schedule.actions import ServiceChoice, Slot, add_appointment
        from daysheet.schedule.models import Visit
        from daysheet.schedule.statuses import set_status

        self._at = (self._at + 1) % 48
        appointment_id = add_appointment(
            self.owner,
            appointment_id=uuid4(),
            slot=Slot(
                day=self.practice.today - timedelta(days=days_ago),
                at=time(8 + self._at // 4, 15 * (self._at % 4)),
                minutes=15,
                staff_member_id=UUID(self.practice.staff[staff]),
                location_id=self.location_id,
                title=title,
            ),
            members={client: [ServiceChoice(service) for service in services] for client in clients},
        )
        self.practice.appointments[name] = str(appointment_id)
        visit_ids = list(Visit.objects.filter(appointment_id=appointment_id).values_list("pk", flat=True))
        for visit_id in visit_ids:
            if status != "upcoming":
                set_status(
                    self.owner, visit_id=visit_id, status=status, initiated_by="client", charge_fee=charge_fee,
                    fee_waived_reason="" if charge_fee else "First time",
                )  # fmt: skip
        return visit_ids


if __name__ == "__main__":
    django.setup()
    sys.stdout.write(build().printed())
