"""Importing through the real action: verdicts, refusals, and that the same file again changes nothing."""

from __future__ import annotations

import dataclasses
import io
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter

from daysheet.audit.models import AuditEvent
from daysheet.clients.models import Client, ClientAssignment, Coverage
from daysheet.database.scope import practice_transaction
from daysheet.imports.actions import ImportRefused
from daysheet.imports.commands import run_import
from daysheet.imports.guide import blank_template, guide
from daysheet.imports.layouts import LAYOUTS
from daysheet.imports.models import ImportedFile
from daysheet.imports.sheets import UnreadableFile
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.models import Invoice
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.payments.models import Payment
from daysheet.practices.models import Location
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import Appointment, Visit, VisitService
from daysheet.staff.models import StaffMember
from tests.people import Cast

from .files import CLIENTS, LOCATIONS, SERVICES, STAFF, VISIT, counts, csv_file, look, take, take_basics


def problems(actor, kind, rows) -> list[str]:
    return [str(problem) for problem in look(actor, kind, rows).problems]


def test_the_same_file_again_changes_nothing_and_a_corrected_one_only_what_differs(cast: Cast) -> None:
    alice = cast.actor(cast.alice)
    assert counts(take(alice, "clients", CLIENTS)) == (2, 0, 0)
    assert counts(take(alice, "clients", CLIENTS)) == (0, 0, 2)
    corrected = [CLIENTS[0] | {"Last Name": "Oaks"}, CLIENTS[1]]
    assert [row.changes for row in look(alice, "clients", corrected).rows] == [("Last Name",), ()]
    assert counts(take(alice, "clients", corrected)) == (0, 1, 1)
    with practice_transaction(cast.alder.id):
        finn = Client.objects.get(external_id="c1")
        assert (finn.last_name, finn.birth_on) == ("Oaks", date(1990, 2, 3))
        assert "oaks" in finn.search_text and "oakes" not in finn.search_text
        assert ImportedFile.objects.count() == AuditEvent.objects.filter(verb="import_file").count() == 3


def test_one_bad_row_stops_the_whole_file_and_is_named_by_row_and_column(cast: Cast) -> None:
    alice = cast.actor(cast.alice)
    rows = [SERVICES[0], SERVICES[0] | {"ID": "t2", "Code": "SHORT", "Rate": "12,x"}]
    with pytest.raises(ImportRefused) as refused:
        take(alice, "service_types", rows)
    assert str(refused.value.problems[0]).startswith("row 3, column Rate: “12,x” is not an amount")
    with practice_transaction(cast.alder.id):
        assert not ImportedFile.objects.exists()
    assert [row.verdict for row in look(alice, "service_types", rows).rows] == ["new", "error"]


@pytest.mark.parametrize(
    ("kind", "row", "words"),
    [
        ("clients", {"Birth Date": "31/12/1990"}, "column Birth Date: “31/12/1990” is not a date"),
        ("clients", {"Sex": "Q"}, "column Sex"),
        ("clients", {"ID": ""}, "column ID: this cell must not be empty"),
        ("clients", {"Email": "nobody"}, "column Email"),
        ("clients", {"Rendering Provider": "nobody"}, "there is no “nobody” among the staff"),
        ("staff", {"NPI": "1234567890"}, "its ten digits or its check digit are wrong"),
        ("service_types", {"Kind": "CPT"}, "five characters"),
        ("service_types", {"Rate": "-5"}, "less than nothing"),
        ("service_types", {"Kind": "HCPCS", "Code": "H0001", "No Show Fee": "yes"}, "must be Non-CPT"),
    ],
)  # fmt: skip
def test_cells_that_do_not_fit_are_told(cast: Cast, kind: str, row: dict[str, str], words: str) -> None:
    base = {"clients": CLIENTS[0], "staff": STAFF[0], "service_types": SERVICES[0]}[kind]
    found = problems(cast.actor(cast.alice), kind, [base | row])
    assert any(words in problem and problem.startswith("row 2") for problem in found), found


def test_headers_are_read_in_any_order_and_unknown_or_missing_ones_refused(cast: Cast) -> None:
    alice = cast.actor(cast.alice)
    assert look(alice, "locations", b"\xef\xbb\xbfname,external_thing\nx,y\n").rows == ()
    found = problems(alice, "locations", b"name,external_thing\nx,y\n")
    assert any("external_thing" in problem for problem in found) and any("column ID" in problem for problem in found)
    assert counts(take(alice, "locations", b"\xef\xbb\xbfNAME,id\r\nMain Office,l1\r\n")) == (1, 0, 0)


def test_files_that_are_no_tables_are_refused(cast: Cast) -> None:
    alice = cast.actor(cast.alice)
    for content in (b"", b"ID,Name\nl1,Caf\xe9\n", b"PK\x03\x04rubbish", b"ID\x00,Name"):
        with pytest.raises(UnreadableFile):
            take(alice, "locations", content)
    with pytest.raises(NotFound):
        take(alice, "ledger", b"ID\n1\n")


def test_an_excel_workbook_says_the_same_as_the_csv_file(cast: Cast) -> None:
    alice = cast.actor(cast.alice)
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = workbook.add_worksheet()
    sheet.write_row(0, 0, ["ID", "First Name", "Last Name", "Birth Date", "ZIP", "Set Payment Amount"])
    sheet.write_row(1, 0, ["c1", "Finn", "Oakes"])
    sheet.write_datetime(1, 3, date(1990, 2, 3), workbook.add_format({"num_format": "m/d/yyyy"}))
    sheet.write_row(1, 4, [2138, 12.5])
    workbook.close()
    assert counts(take(alice, "clients", buffer.getvalue())) == (1, 0, 0)
    with practice_transaction(cast.alder.id):
        client = Client.objects.get(external_id="c1")
    assert (client.birth_on, client.postal_code, client.set_payment_amount_cents) == (date(1990, 2, 3), "02138", 1250)


def test_what_was_typed_in_before_takes_the_id_and_a_name_under_another_id_is_in_the_way(cast: Cast) -> None:
    alice = cast.actor(cast.alice)
    with practice_transaction(cast.alder.id):
        typed = Location.objects.create(name="main office")
    assert counts(take(alice, "locations", LOCATIONS)) == (0, 1, 0)
    with practice_transaction(cast.alder.id):
        assert Location.objects.get().pk == typed.pk
    assert any(
        "under the ID “l1”" in text for text in problems(alice, "locations", [{"ID": "l2", "Name": "MAIN OFFICE"}])
    )


def test_a_file_does_not_change_who_may_sign_in(cast: Cast) -> None:
    alice = cast.actor(cast.alice)
    row = {"ID": "bob", "First Name": "Bob", "Last Name": "Biller", "Email": "bob@alder.example", "Active": "no"}
    assert any("signs in to Daysheet" in text for text in problems(alice, "staff", [row]))
    take(alice, "staff", [row | {"Active": "yes"}])
    with practice_transaction(cast.alder.id):
        assert StaffMember.objects.get(external_id="bob").permissions == [Permission.BILLING.value]


def test_assigned_staff_are_set_and_taken_away(cast: Cast) -> None:
    alice = cast.actor(cast.alice)
    take_basics(alice)
    take(alice, "clients", [CLIENTS[0] | {"Assigned Staff": "s1"}])
    with practice_transaction(cast.alder.id):
        assert ClientAssignment.objects.count() == 1
    assert counts(take(alice, "clients", [CLIENTS[0] | {"Assigned Staff": "s1"}])) == (0, 0, 1)
    assert counts(take(alice, "clients", [CLIENTS[0]])) == (0, 0, 1)
    assert counts(take(alice, "clients", [CLIENTS[0] | {"Assigned Staff": ""}])) == (0, 1, 0)
    with practice_transaction(cast.alder.id):
        assert not ClientAssignment.objects.exists()


def test_policies_of_one_rank_do_not_overlap(cast: Cast) -> None:
    alice = cast.actor(cast.alice)
    take_basics(alice)
    take(alice, "payers", [{"ID": "p1", "Name": "Sound Mutual"}])
    policy = {"ID": "k1", "Client": "c1", "Payer": "p1", "Insured ID": "X1", "Starts On": "2026-01-01", "Copay": "20"}
    follows = policy | {"ID": "k2", "Starts On": "2026-07-01"}
    assert any("row 2 of the same client and rank" in text for text in problems(alice, "coverages", [policy, follows]))
    assert any("later than Starts On" in t for t in problems(alice, "coverages", [policy | {"Ends On": "2025-01-01"}]))
    take(alice, "coverages", [policy | {"Ends On": "2026-07-01"}, follows])
    with practice_transaction(cast.alder.id):
        assert Coverage.objects.filter(copay_cents=2000).count() == 2
    assert any("another client" in text for text in problems(alice, "coverages", [follows | {"Client": "c2"}]))


def test_an_appointment_is_read_in_practice_time_with_its_own_price(cast: Cast) -> None:
    alice = cast.actor(cast.alice)
    take_basics(alice)
    late = VISIT | {"Start": "11/02/2026 11:30 PM", "Modifiers": "95", "Units": "2"}
    assert counts(take(alice, "appointments", [late])) == (1, 0, 0)
    assert counts(take(alice, "appointments", [late])) == (0, 0, 1)
    with practice_transaction(cast.alder.id):
        appointment, service = Appointment.objects.get(), VisitService.objects.get()
        assert (appointment.service_on, appointment.starts_at.isoformat()) == (
            date(2026, 11, 2), "2026-11-03T04:30:00+00:00",
        )  # fmt: skip
        assert (service.rate_cents, service.units, service.modifiers) == (9950, 2, ["95"])
        assert (service.service_on, service.position) == (date(2026, 11, 2), 1)


def test_members_of_a_group_share_an_appointment_and_contradictions_are_told(cast: Cast) -> None:
    alice = cast.actor(cast.alice)
    take_basics(alice)
    other = VISIT | {"Visit ID": "v2", "Service ID": "s2", "Client": "c2"}
    assert any(
        "row 2 of the same appointment" in t for t in problems(alice, "appointments", [VISIT, other | {"Minutes": "5"}])
    )
    assert any("another visit in this" in t for t in problems(alice, "appointments", [VISIT, other | {"Client": "c1"}]))
    assert any("stands in row 2" in t for t in problems(alice, "appointments", [VISIT, other | {"Service ID": "s1"}]))
    take(alice, "appointments", [VISIT, other])
    with practice_transaction(cast.alder.id):
        assert Appointment.objects.get().is_group and Visit.objects.count() == 2


def test_a_missed_visit_is_not_billed_unless_it_has_a_fee(cast: Cast) -> None:
    alice = cast.actor(cast.alice)
    take_basics(alice)
    take(alice, "service_types", [SERVICES[0] | {"ID": "fee", "Code": "FEE", "No Show Fee": "yes"}])
    fee = VISIT | {"Service ID": "s2", "Service Type": "fee", "Status": "No Show"}
    take(alice, "appointments", [VISIT | {"Status": "No Show"}, fee])
    with practice_transaction(cast.alder.id):
        found = VisitService.objects.order_by("position").values_list("external_id", "is_fee", "is_suspended")
        assert list(found) == [("s1", False, True), ("s2", True, False)]
    assert any("costs none" in text for text in problems(alice, "appointments", [VISIT, fee | {"Status": "Kept"}]))
    take(alice, "appointments", [VISIT])
    with practice_transaction(cast.alder.id):
        found = VisitService.objects.order_by("position").values_list("external_id", "is_suspended")
        assert list(found) == [("s1", False), ("s2", True)], "a kept visit is billed, and its old fee is not"
    take(alice, "appointments", [VISIT | {"Status": "Late Cancel"}])
    with practice_transaction(cast.alder.id):
        found = VisitService.objects.order_by("position").values_list("external_id", "is_suspended")
        assert list(found) == [("s1", True), ("s2", False)]


def test_a_moved_appointment_takes_unmentioned_members_along(cast: Cast) -> None:
    alice = cast.actor(cast.alice)
    take_basics(alice)
    take(alice, "appointments", [VISIT, VISIT | {"Visit ID": "v2", "Service ID": "s2", "Client": "c2"}])
    assert look(alice, "appointments", [VISIT | {"Start": "2026-11-03 09:00"}]).rows[0].changes == ("Start", "Minutes")
    take(alice, "appointments", [VISIT | {"Start": "2026-11-03 09:00"}])
    with practice_transaction(cast.alder.id):
        for model in (Appointment, Visit, VisitService):
            assert set(model.objects.values_list("service_on", flat=True)) == {date(2026, 11, 3)}


def test_a_billed_visit_is_not_changed_by_a_file(cast: Cast) -> None:
    alice = cast.actor(cast.alice)
    take_basics(alice)
    take(alice, "appointments", [VISIT])
    with practice_transaction(cast.alder.id):
        number = bill_visit(alice, visit_id=Visit.objects.get().pk).created[0].number
    assert counts(take(alice, "appointments", [VISIT])) == (0, 0, 1)
    for change in ({"Price": "1.00"}, {"Status": "No Show"}, {"Start": "2026-11-03 09:00"}, {"Service ID": "s9"}):
        assert any(f"on invoice {number}" in text for text in problems(alice, "appointments", [VISIT | change])), change
        with pytest.raises(ImportRefused):
            take(alice, "appointments", [VISIT | change])


def test_an_hour_that_the_clocks_left_out_is_refused(cast: Cast) -> None:
    alice = cast.actor(cast.alice)
    take_basics(alice)
    found = problems(alice, "appointments", [VISIT | {"Start": "2026-03-08 02:30"}])
    assert any("there was no such time" in text for text in found)


def test_an_opening_balance_becomes_one_invoice_however_often_it_comes(cast: Cast) -> None:
    alice = cast.actor(cast.alice)
    take_basics(alice)
    row = {"ID": "b1", "Client": "c1", "Amount": "120.50", "Date": "2026-10-31"}
    assert counts(take(alice, "opening_balances", [row])) == (1, 0, 0)
    assert counts(take(alice, "opening_balances", [row])) == (0, 0, 1)
    with practice_transaction(cast.alder.id):
        invoice = Invoice.objects.get()
        assert (invoice.door, invoice.issued_on) == (Invoice.Door.IMPORT, date(2026, 10, 31))
    assert any("another amount" in t for t in problems(alice, "opening_balances", [row | {"Amount": "120.51"}]))
    assert any("to come" in t for t in problems(alice, "opening_balances", [row | {"ID": "b2", "Date": "2027-01-01"}]))
    assert look(alice, "opening_balances", [row | {"ID": "b3", "Amount": "0"}]).rows[0].verdict == "unchanged"


def test_a_negative_opening_balance_becomes_credit_that_no_line_takes(cast: Cast) -> None:
    alice = cast.actor(cast.alice)
    take_basics(alice)
    owes = {"ID": "b1", "Client": "c1", "Amount": "50", "Date": "2026-10-31"}
    rows = [owes, owes | {"ID": "b2", "Amount": "-20.00"}]
    assert [row.remark for row in look(alice, "opening_balances", rows).rows] == [
        "invoice of $50.00",
        "credit of $20.00",
    ]
    assert counts(take(alice, "opening_balances", rows)) == (2, 0, 0)
    assert counts(take(alice, "opening_balances", rows)) == (0, 0, 2)
    with practice_transaction(cast.alder.id):
        payment = Payment.objects.get()
        assert (payment.amount_cents, payment.unapplied_cents) == (2000, 2000)
    assert any("another amount" in t for t in problems(alice, "opening_balances", [rows[1] | {"Amount": "20"}]))


def test_who_may_not_import_is_refused_and_a_stranger_touches_only_his_own_practice(cast: Cast) -> None:
    for person in (cast.bob, cast.carol, cast.dan):
        with pytest.raises(NotAllowed):
            take(cast.actor(person), "clients", CLIENTS)
        with pytest.raises(NotAllowed):
            look(cast.actor(person), "clients", CLIENTS)
    take(cast.actor(cast.alice), "clients", CLIENTS)
    assert counts(take(cast.actor(cast.charlie), "clients", CLIENTS)) == (2, 0, 0)


def test_an_administrator_without_billing_imports_no_money_of_clients(cast: Cast) -> None:
    alice = cast.actor(cast.alice)
    take_basics(alice)
    admin = dataclasses.replace(alice, permissions=frozenset({Permission.ADMINISTRATOR}))
    assert counts(take(admin, "clients", CLIENTS)) == (0, 0, 2)
    for kind, rows in (
        ("clients", [CLIENTS[0] | {"Pays By": "Self"}]),
        ("opening_balances", [{"ID": "b1", "Client": "c1", "Amount": "1", "Date": "2026-10-31"}]),
    ):
        with pytest.raises(NotAllowed):
            look(admin, kind, rows)
        with pytest.raises(NotAllowed):
            take(admin, kind, rows)
    with pytest.raises(NotAllowed):
        look(dataclasses.replace(alice, limited_to_assigned=True), "clients", CLIENTS)


def test_a_folder_is_imported_in_the_order_of_need_and_a_dry_run_writes_nothing(cast: Cast, tmp_path: Path) -> None:
    for kind, rows in (("appointments", [VISIT]), ("clients", CLIENTS), ("service_types", SERVICES), ("staff", STAFF),
                       ("locations", LOCATIONS)):  # fmt: skip
        (tmp_path / f"2026-{kind}.csv").write_bytes(csv_file(rows))
    said: list[str] = []
    assert run_import("alder", [tmp_path], dry_run=True, out=said.append) == 0
    assert said[-1].startswith("This was a dry run")
    with practice_transaction(cast.alder.id):
        assert not Visit.objects.exists() and not ImportedFile.objects.exists()
    assert run_import("alder", [tmp_path], out=said.append) == 0
    assert "1 rows: 1 new" in said[-1]
    (tmp_path / "2026-clients.csv").write_bytes(csv_file([CLIENTS[0] | {"Birth Date": "soon"}]))
    assert run_import("alder", [tmp_path], out=said.append) == 1
    assert any("2026-clients.csv: row 2, column Birth Date" in line for line in said)
    assert run_import("nobody", [tmp_path], out=said.append) == 2
    assert run_import("alder", [tmp_path / "missing.csv"], out=said.append) == 2


def test_the_guide_and_blank_templates_are_those_of_the_layouts(cast: Cast) -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "import.md"
    assert page.read_text(encoding="utf-8") == guide(), "run python -m daysheet.imports"
    for layout in LAYOUTS.values():
        header = blank_template(layout).encode()
        assert look(cast.actor(cast.alice), layout.kind, header).problems == ()
