"""The import templates, as data: parsing, blank templates to download and docs/import.md all come from here.

A `Column.field` is the column of the table the value goes to; where it is empty the value is used by a plan of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from daysheet.clients.models import Client, Coverage
from daysheet.schedule.models import Visit, VisitStatus
from daysheet.services.models import ServiceType

from .cells import (
    Amount,
    CellKind,
    Choice,
    Code,
    Day,
    Email,
    Modifiers,
    Npi,
    PostalCode,
    Reference,
    References,
    Text,
    WallTime,
    Whole,
    YesNo,
)

#: Two weeks: an inpatient stay; anything longer is a typing mistake.
LONGEST_VISIT_MINUTES = 14 * 24 * 60


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a template. `default` is what an empty cell and a missing column of a new row mean."""

    label: str
    kind: CellKind
    help: str = ""
    required: bool = False
    field: str = ""
    default: Any = ...
    #: A file with this column needs the permission Billing, as the page with the same datum does (P2).
    needs_billing: bool = False

    @property
    def name(self) -> str:
        """`external_id`: the label as a key."""
        return self.label.lower().replace(" ", "_").replace("-", "_")

    @property
    def when_empty(self) -> Any:
        """The value of an empty cell."""
        return self.kind.empty if self.default is ... else self.default


@dataclass(frozen=True, slots=True)
class Layout:
    """One template. `kind` is also the file's name: `clients.csv`."""

    kind: str
    label: str
    about: str
    columns: tuple[Column, ...]
    needs_billing: bool = False

    @property
    def needed(self) -> tuple[str, ...]:
        """The titles that a file cannot do without."""
        return tuple(column.label for column in self.columns if column.required)

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)


def _id(of: str) -> Column:
    return Column(
        "ID", Text(100), f"The {of}’s number or code in the system the file comes from. It never changes: a row with "
        "a known ID is compared and updated, never added again.", required=True, field="external_id",
    )  # fmt: skip


_ADDRESS = (
    Column("Address 1", Text(80), field="address_1"),
    Column("Address 2", Text(80), field="address_2"),
    Column("City", Text(60), field="city"),
    Column("State", Code(r"[A-Z]{2}", "a state’s two letters", upper=True), field="state"),
    Column("ZIP", PostalCode(), field="postal_code"),
)
_PLACE = Code(r"[0-9]{2}", "a place of service code of two digits")
_PHONE = Column("Phone", Text(20), field="phone")
_ACTIVE = Column("Active", YesNo(), "Empty: yes.", field="is_active", default=True)
_SEX = Choice({"F": "F", "M": "M", "U": "U"})


def _labels(choices: list[tuple[str, str]]) -> dict[str, str]:
    return {label: value for value, label in choices}


LOCATIONS = Layout(
    "locations", "Locations", "Where services are rendered.",
    (
        _id("location"),
        Column("Name", Text(80), required=True, field="name"),
        Column("Place of Service", _PLACE, "Two digits; empty: 11, office.", field="place_of_service", default="11"),
        Column("NPI", Npi(), field="npi"),
        _PHONE, *_ADDRESS, _ACTIVE,
    ),
)  # fmt: skip

STAFF = Layout(
    "staff", "Staff",
    "Everybody who works for the practice. Permissions and sign-in are given on the Staff page, never by a file.",
    (
        _id("staff member"),
        Column("First Name", Text(60), required=True, field="first_name"),
        Column("Last Name", Text(60), required=True, field="last_name"),
        Column("Credentials", Text(40), "Printed after the name: LCSW.", field="credentials"),
        Column("Email", Email(), field="email"),
        Column("NPI", Npi(), field="npi"),
        Column("Taxonomy", Code(r"[0-9A-Z]{10}", "a taxonomy code of ten characters", upper=True), field="taxonomy"),
        _ACTIVE,
        Column("Provider", YesNo(), "Renders services. Empty: no.", field="is_provider"),
        Column("CPT Code Access", YesNo(), "No: the yearly AMA CPT license is not renewed. Empty: yes.",
               field="cpt_access", default=True),
    ),
)  # fmt: skip

PAYERS = Layout(
    "payers", "Insurers", "Insurers that clients are covered by. Self-pay is not an insurer.",
    (
        _id("insurer"),
        Column("Name", Text(80), required=True, field="name"),
        Column("Payer Code", Text(30), "The electronic payer ID claims are sent to.", field="payer_code"),
        _PHONE, *_ADDRESS,
        Column("Timely Filing Days", Whole(1, 3650), field="timely_filing_days"),
        _ACTIVE,
    ),
)  # fmt: skip

SERVICE_TYPES = Layout(
    "service_types", "Service Types", "What can be billed, under the codes and names your practice uses.",
    (
        _id("service type"),
        Column("Code", Text(20), required=True, field="code"),
        Column("Name", Text(120), required=True, field="name"),
        Column("Kind", Choice(_labels(ServiceType.Kind.choices)), required=True, field="kind"),
        Column("Rate", Amount(), "The rate of one unit.", required=True, field="rate_cents"),
        Column("Unit Rule", Choice(_labels(ServiceType.UnitRule.choices)), "Empty: Always Bill For n.",
               field="unit_rule", default=ServiceType.UnitRule.ALWAYS.value),
        Column("Unit Count", Whole(1, 999), "The n or m of the unit rule. Empty: 1.", field="unit_count", default=1),
        Column("Minutes", Whole(1, 1440), "Usual length. Empty: 50.", field="default_minutes", default=50),
        Column("Modifiers", Modifiers(empty=()), field="modifiers"),
        Column("Bills Insurance", YesNo(), "No: always the client’s. Empty: yes.", field="bills_insurance",
               default=True),
        Column("No Show Fee", YesNo(), "Offered for a No Show; at most one, non-CPT.", field="is_no_show_fee"),
        Column("Late Cancel Fee", YesNo(), "Offered for a Late Cancel; at most one, non-CPT.",
               field="is_late_cancel_fee"),
        Column("Canceled Fee", YesNo(), "Offered for a visit canceled in time; at most one, non-CPT.",
               field="is_canceled_fee"),
    ),
)  # fmt: skip

FEE_SCHEDULES = Layout(
    "fee_schedules", "Fee Schedules",
    "What insurers pay for a unit of a service, from a day on. The file that an insurer’s prices page downloads fits.",
    (
        Column("Insurer", Reference("payers", known_by="name"), required=True),
        Column("Service Type", Reference("service_types", known_by="code"), required=True),
        Column("From", Day(), "The first day of service it holds on. It holds until the next one of the same insurer "
               "and service type begins.", required=True),
        Column("Rate", Amount(), "Per unit. Empty: from this day on the insurer has no rate of its own."),
        Column("Ends On", Day(), "The first day it no longer holds: what held before holds again. Empty: until the "
               "next one begins."),
    ),
)  # fmt: skip

CLIENTS = Layout(
    "clients", "Clients", "The people seen. Each has a ledger of their own.",
    (
        _id("client"),
        Column("First Name", Text(60), required=True, field="first_name"),
        Column("Middle Name", Text(60), field="middle_name"),
        Column("Last Name", Text(60), required=True, field="last_name"),
        Column("Preferred Name", Text(60), field="preferred_name"),
        Column("Print Preferred Name", YesNo(), "Documents show the preferred name. Empty: no.",
               field="print_preferred_name"),
        Column("Birth Date", Day(), field="birth_on"),
        Column("Sex", _SEX, field="sex"),
        Column("Email", Email(), field="email"),
        Column("Documents By", Choice(_labels(Client.DocumentsBy.choices)), "How invoices and statements go out.",
               field="documents_by"),
        _PHONE,
        Column("Mobile", Text(20), field="mobile"),
        *_ADDRESS, _ACTIVE,
        Column("Pays By", Choice(_labels(Client.PaysBy.choices)), "Empty: Self.", field="pays_by",
               default=Client.PaysBy.SELF.value, needs_billing=True),
        Column("Set Payment Amount", Amount(), "Instead of every service’s rate, per unit.",
               field="set_payment_amount_cents", needs_billing=True),
        Column("Rendering Provider", Reference("staff"), "A provider to name instead of the appointment’s.",
               field="rendering_override_id", needs_billing=True),
        Column("Billing Provider", Reference("staff"), "Bill with this staff member’s NPI. Empty: the practice’s.",
               field="billing_staff_member_id", needs_billing=True),
        Column("Assigned Staff", References("staff"), "Who is assigned to the client. Left out: unchanged."),
    ),
)  # fmt: skip

COVERAGES = Layout(
    "coverages", "Coverages", "One row for each policy of a client.",
    (
        _id("policy"),
        Column("Client", Reference("clients"), required=True, field="client_id"),
        Column("Payer", Reference("payers"), required=True, field="payer_id"),
        Column("Rank", Whole(1, 9), "1 primary, 2 secondary. Empty: 1.", field="rank", default=1),
        Column("Insured ID", Text(40), required=True, field="insured_id"),
        Column("Group Number", Text(40), field="group_number"),
        Column("Plan Name", Text(60), field="plan_name"),
        Column("Relationship", Choice(_labels(Coverage.Relationship.choices)), "The client is the insured’s … "
               "Empty: Self.", field="relationship", default=Coverage.Relationship.SELF.value),
        Column("Insured First Name", Text(60), field="insured_first_name"),
        Column("Insured Last Name", Text(60), field="insured_last_name"),
        Column("Insured Birth Date", Day(), field="insured_birth_on"),
        Column("Insured Sex", _SEX, field="insured_sex"),
        Column("Copay", Amount(), "Per date of service. Empty: not known, the insurer is billed for all.",
               field="copay_cents"),
        Column("Starts On", Day(), required=True, field="starts_on"),
        Column("Ends On", Day(), "The first day it is no longer in force. Empty: no end.", field="ends_on"),
    ),
    needs_billing=True,
)  # fmt: skip

APPOINTMENTS = Layout(
    "appointments", "Appointments",
    "One row for each service of each visit. Rows of one visit repeat its facts; rows of one group appointment share "
    "its Appointment ID. A visit that is on an invoice is never changed by a file.",
    (
        Column("Appointment ID", Text(100), "The same for all members of a group appointment.", required=True),
        Column("Visit ID", Text(100), "One client’s part of the appointment.", required=True),
        Column("Service ID", Text(100), "One service of the visit. Empty only for a visit without services."),
        Column("Start", WallTime(), required=True),
        Column("Minutes", Whole(1, LONGEST_VISIT_MINUTES), required=True),
        Column("Staff", Reference("staff"), required=True),
        Column("Location", Reference("locations"), required=True),
        Column("Place of Service", _PLACE, "Two digits, 02 or 10 for telehealth. Empty: the location’s."),
        Column("Title", Text(80), "Name of a group."),
        Column("Client", Reference("clients"), required=True),
        Column("Status", Choice(_labels(VisitStatus.choices)), required=True),
        Column("Initiated By", Choice(_labels(Visit.InitiatedBy.choices)), "Who caused the status."),
        Column("Fee Waived Because", Text(200), "Why a No Show or Late Cancel costs nothing."),
        Column("Service Type", Reference("service_types"), "Empty only for a visit without services."),
        Column("Units", Whole(1, 999), "Empty: by the service type’s unit rule.", field="units"),
        Column("Price", Amount(), "Per unit. Empty: the usual price.", field="rate_cents"),
        Column("Modifiers", Modifiers(), "Empty: the service type’s.", field="modifiers"),
    ),
)  # fmt: skip

OPENING_BALANCES = Layout(
    "opening_balances", "Opening Balances",
    "What each client owed, or had as credit, when you changed to Daysheet. What is owed becomes an invoice with one "
    "line; credit becomes an unapplied payment.",
    (
        _id("balance"),
        Column("Client", Reference("clients"), required=True),
        Column("Amount", Amount(signed=True), "Positive: the client owes. Negative: the client has credit.",
               required=True),
        Column("Date", Day(), "As of which day.", required=True),
        Column("Note", Text(120), "Empty: Opening balance."),
    ),
    needs_billing=True,
)  # fmt: skip

#: In the order in which they need each other.
LAYOUTS = {
    layout.kind: layout
    for layout in (
        LOCATIONS, STAFF, PAYERS, SERVICE_TYPES, FEE_SCHEDULES, CLIENTS, COVERAGES, APPOINTMENTS, OPENING_BALANCES,
    )
}  # fmt: skip
