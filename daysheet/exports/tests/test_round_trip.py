"""All data out, all data back: the same rows to the byte, through the commands that people use."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from django.db.models import QuerySet

from daysheet.clients.actions import add_client, add_payer
from daysheet.config.failures import ExitCode
from daysheet.config.tests.conftest import history, money_history
from daysheet.database.scope import practice_transaction
from daysheet.exports.tables import LEFT_OUT_COLUMNS, LEFT_OUT_TABLES
from daysheet.invoicing.actions import bill_visit
from daysheet.practices.actor import system_actor
from daysheet.practices.models import Practice
from daysheet.schedule.actions import ServiceChoice, Slot, move_appointment
from daysheet.schedule.models import Appointment, Visit
from daysheet.schedule.series import add_series, cancel_appointments, edit_series, extend_series
from daysheet.schedule.series_outcome import Scope
from daysheet.schedule.series_rules import Frequency, begin
from daysheet.schedule.slots import slot_of
from daysheet.services.actions import add_payer_rate
from daysheet.staff.actors import practice_facts
from tests.billing import Clinic, clinic_of
from tests.people import Cast

pytestmark = pytest.mark.system

__all__ = ["history", "money_history"]
ROOT = Path(__file__).resolve().parents[3]
HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "'tis", "''", "\tTab", 'Say "hi", twice', "Ünïcödé 🙂", "x\ny"]


def daysheet(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "DAYSHEET_TESTING"}
    environment["DAYSHEET_OWNER_PASSWORD"] = "a long new password"
    command = [sys.executable, "-m", "daysheet", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


def files_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def hostile_history(money_history: Cast) -> Cast:
    with practice_transaction(money_history.alder.id):
        clinic = clinic_of(money_history)
        for name in HOSTILE:
            add_client(clinic.owner, first_name="Ana", last_name=name)
        book_group(clinic)
    return money_history


def book_group(clinic: Clinic) -> None:
    """A weekly group: its first date billed for one member, one moved, one called off, and from the fifth on a later
    hour and a late joiner, which is another row of the series; a rate that ends."""
    members = {clinic.client(name): [ServiceChoice(clinic.letter.pk)] for name in ("Weekly", "Wednesday")}
    day = clinic.owner.today - timedelta(days=3)
    slot = Slot(day, time(15), 50, clinic.cast.carol.staff_member_id, clinic.location.pk, title="Group")
    root = add_series(clinic.owner, slot=slot, members=members, repeat=begin(Frequency.WEEKLY, day, count=6))
    dates = list(Appointment.objects.filter(series=root).order_by("occurrence_on"))
    visit = Visit.objects.filter(appointment=dates[0]).order_by("pk")[0]
    bill_visit(clinic.biller, visit_id=visit.pk)
    moved = replace(slot, day=dates[1].service_on + timedelta(days=1))
    move_appointment(clinic.owner, appointment_id=dates[1].pk, slot=moved)
    cancel_appointments(clinic.owner, appointment_id=dates[2].pk, initiated_by="client")
    joiner = {clinic.client("Later"): [ServiceChoice(clinic.talk.pk)]}
    later = replace(slot, day=dates[4].service_on, at=time(16))
    edit_series(
        clinic.owner, appointment_id=dates[4].pk, scope=Scope.FOLLOWING, slot=later, members={**members, **joiner}
    )
    payer = add_payer(clinic.owner, name="Rated").pk
    add_payer_rate(
        clinic.owner, payer, clinic.talk.pk, rate_cents=9000, starts_on=day, ends_on=day + timedelta(days=30)
    )


@pytest.fixture
def exported(hostile_history: Cast, tmp_path: Path) -> Path:
    path = tmp_path / "alder.zip"
    done = daysheet("export", "alder", str(path))
    assert done.returncode == ExitCode.DONE, done.stderr
    return path


def test_out_and_back_is_equal_to_the_byte_and_verifies(exported: Path, hostile_history: Cast, tmp_path: Path) -> None:
    owner = hostile_history.alice.email
    taken = daysheet("import", "alder-again", str(exported), "--owner-email", owner)
    assert taken.returncode == ExitCode.DONE, taken.stderr
    assert daysheet("verify", "alder-again").returncode == ExitCode.DONE
    again = tmp_path / "again.zip"
    assert daysheet("export", "alder-again", str(again)).returncode == ExitCode.DONE
    before, after = files_of(exported), files_of(again)
    differing = {name for name in before if before[name] != after[name]}
    assert differing == {"manifest.json", "audit_auditevent.csv"}
    new_events = set(after["audit_auditevent.csv"].splitlines()) - set(before["audit_auditevent.csv"].splitlines())
    assert [b"give_login" in line for line in new_events] == [True]
    assert len(csv_of(before, "ledger_entry")) > 20
    the_series_goes_on(hostile_history, before)


def the_series_goes_on(cast: Cast, content: dict[str, bytes]) -> None:
    """Two rows of one root, what is apart, called off and billed; and it can be edited as if it had never left."""
    rules, dates = csv_of(content, "schedule_series"), csv_of(content, "schedule_appointment")
    root = next(row["id"] for row in rules if not row["root_id"])
    assert {row["root_id"] for row in rules} == {"", root}
    assert sum(row["series_id"] != "" for row in dates) == 6 and sum(row["apart_at"] != "" for row in dates) > 0
    again = practice_facts(Practice.objects.get(slug="alder-again"))
    with practice_transaction(again.id):
        actor = system_actor(again, cast.actor(cast.alice).now)
        thread = list(_thread())
        assert Visit.objects.filter(appointment=thread[-1]).count() == 3
        extend_series(actor, root_id=UUID(root), last_on=thread[-1].service_on, count=2)
        thread = list(_thread())
        assert len(thread) == 8 and Visit.objects.filter(appointment=thread[-1]).count() == 3
        slot = replace(slot_of(thread[0], again.time_zone), at=time(9))
        edit_series(actor, appointment_id=thread[0].pk, scope=Scope.FUTURE, slot=slot)
        hours = [slot_of(each, again.time_zone).at.hour for each in _thread()]
        assert hours == [15, 15, 15, 9, 9, 9, 9, 9], "the billed, the moved and the canceled one stay"


def _thread() -> QuerySet[Appointment]:
    return Appointment.objects.filter(series__isnull=False).order_by("occurrence_on")


def test_what_a_spreadsheet_could_run_is_text_in_the_file(exported: Path) -> None:
    names = [row["last_name"] for row in csv_of(files_of(exported), "clients_client")]
    assert {"'=1+1", "'+1", "'-1", "'@SUM(A1)", "''tis", 'Say "hi", twice'} <= set(names)
    assert not [name for name in names if name.startswith(("=", "+", "-", "@", "\t"))]


def test_no_login_no_secret_and_nothing_of_another_practice_is_in_it(exported: Path, hostile_history: Cast) -> None:
    content = files_of(exported)
    assert not {f"{table}.csv" for table in LEFT_OUT_TABLES} & content.keys()
    for place in LEFT_OUT_COLUMNS:
        table, column = place.split(".")
        assert {row[column] for row in csv_of(content, table)} <= {""}
    everything = b"".join(content.values())
    assert b"Birch" not in everything
    assert b"argon2" not in everything and b"md5$" not in everything
    assert (exported.stat().st_mode & 0o777) == 0o600


def test_a_changed_damaged_or_foreign_file_writes_nothing(
    exported: Path, hostile_history: Cast, tmp_path: Path
) -> None:
    content = files_of(exported)
    entries = content["ledger_entry.csv"]
    cents = entries.replace(b",5000,", b",5001,", 1)
    assert cents != entries
    manifest = json.loads(content["manifest.json"])
    del manifest["tables"]["ledger_entry"]
    damaged = {
        "changed": content | {"ledger_entry.csv": cents},
        "cut": {name: data for name, data in content.items() if name != "ledger_entry.csv"},
        "other version": content | {"manifest.json": json.dumps(manifest).encode()},
        "nonsense": content | {"manifest.json": b"[]"},
    }
    for what, files in damaged.items():
        path = tmp_path / f"{what}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        done = daysheet("import", "alder-again", str(path), "--owner-email", hostile_history.alice.email)
        assert done.returncode == ExitCode.FAILED, what
        assert "Nothing was written" in done.stderr
        assert "Traceback" not in done.stderr
    assert practices() == ["alder", "birch"]


def test_books_that_do_not_agree_are_not_kept(exported: Path, hostile_history: Cast, tmp_path: Path) -> None:
    """Somebody who changes a payment and the manifest with it is found by the verification."""
    import hashlib

    content = files_of(exported)
    manifest = json.loads(content["manifest.json"])
    rows = content["payments_payment.csv"].replace(b"check", b"cash", 1)
    rows = rows.replace(b",5000,", b",4000,", 1)
    manifest["tables"]["payments_payment"]["sha256"] = hashlib.sha256(rows).hexdigest()
    path = tmp_path / "forged.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (
            content | {"payments_payment.csv": rows, "manifest.json": json.dumps(manifest).encode()}
        ).items():
            archive.writestr(name, data)
    done = daysheet("import", "alder-again", str(path), "--owner-email", hostile_history.alice.email)
    assert done.returncode == ExitCode.FAILED
    assert practices() == ["alder", "birch"]


def test_who_is_let_in_has_to_be_its_organization_administrator(exported: Path, hostile_history: Cast) -> None:
    for owner in ("stranger@nowhere.example", hostile_history.bob.email):
        done = daysheet("import", "alder-again", str(exported), "--owner-email", owner)
        assert done.returncode == ExitCode.FAILED
        assert "Organization Administrator" in done.stderr
    assert daysheet("import", "alder-again", str(exported)).returncode == ExitCode.USAGE
    assert daysheet("import", "alder", str(exported), "--owner-email", hostile_history.alice.email).returncode == 1
    assert practices() == ["alder", "birch"]


def test_an_export_overwrites_nothing_and_knows_its_practice(exported: Path) -> None:
    before = exported.read_bytes()
    assert daysheet("export", "alder", str(exported)).returncode == ExitCode.FAILED
    assert exported.read_bytes() == before
    assert daysheet("export", "nowhere", str(exported.with_name("n.zip"))).returncode == ExitCode.NO_SUCH_PRACTICE


def csv_of(content: dict[str, bytes], table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content[f"{table}.csv"].decode(), newline="")))


def practices() -> list[str]:
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as connection:
        return [row[0] for row in connection.execute("SELECT slug FROM practices_practice ORDER BY 1").fetchall()]
