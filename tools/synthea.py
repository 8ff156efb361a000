"""Synthea's CSV files → Daysheet's import templates: `python tools/synthea.py SOURCE_DIR OUT_DIR [--time-zone …]`.

Decisions: an encounter is an appointment and a visit (all were kept); each of its CHARGE rows is one service with a
price of its own; procedure codes are SNOMED or CVX numbers, so service types are Non-CPT; the payer NO_INSURANCE is no
coverage; times are UTC and become the practice's clock. Needs nothing but Python.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

Record = dict[str, str]
SELF_PAY = "NO_INSURANCE"
MASSACHUSETTS = {"Massachusetts": "MA"}
RELATIONSHIPS = {"Self": "Self", "Spouse": "Spouse", "Guardian": "Child"}
PLACES = {"inpatient": "21", "emergency": "23", "urgentcare": "20"}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Convert Synthea CSV files to Daysheet's import templates.")
    parser.add_argument("source", type=Path, help="folder with encounters.csv, claims_transactions.csv …")
    parser.add_argument("out", type=Path, help="folder the templates are written to")
    parser.add_argument("--time-zone", default="America/New_York", help="the practice's (default: %(default)s)")
    given = parser.parse_args(arguments)
    if not (given.source / "encounters.csv").is_file():
        print(f"{given.source}: there is no encounters.csv in this folder", file=sys.stderr)
        return 2
    for kind, count in convert(given.source, given.out, given.time_zone).items():
        print(f"{given.out / kind}.csv: {count:,} rows")
    return 0


def convert(source: Path, out: Path, time_zone: str = "America/New_York") -> dict[str, int]:
    """Write the templates to `out`; returns the number of rows by template."""
    zone = ZoneInfo(time_zone)
    encounters = _read(source, "encounters")
    charges = [row for row in _read(source, "claims_transactions") if row["TYPE"] == "CHARGE"]
    payers = [row for row in _read(source, "payers") if row["NAME"] != SELF_PAY]
    coverages = _coverages(_read(source, "payer_transitions"), {row["Id"] for row in payers}, zone)
    insured = {row["Client"] for row in coverages}
    used = {column: {row[column] for row in encounters} for column in ("PROVIDER", "ORGANIZATION")}
    templates: dict[str, list[Record]] = {
        "locations": [_location(row) for row in _read(source, "organizations") if row["Id"] in used["ORGANIZATION"]],
        "staff": [_provider(row) for row in _read(source, "providers") if row["Id"] in used["PROVIDER"]],
        "payers": [_payer(row) for row in payers],
        "service_types": _service_types(charges),
        "clients": [_client(row, row["Id"] in insured) for row in _read(source, "patients")],
        "coverages": coverages,
        "appointments": list(_appointments(encounters, charges, zone)),
    }
    out.mkdir(parents=True, exist_ok=True)
    for kind, rows in templates.items():
        _write(out / f"{kind}.csv", rows)
    return {kind: len(rows) for kind, rows in templates.items()}


def _location(row: Record) -> Record:
    return {
        "ID": row["Id"], "Name": row["NAME"], "Phone": row["PHONE"], "Address 1": row["ADDRESS"], "City": row["CITY"],
        "State": row["STATE"], "ZIP": _zip(row["ZIP"]),
    }  # fmt: skip


def _provider(row: Record) -> Record:
    first, _, last = row["NAME"].rpartition(" ")
    return {"ID": row["Id"], "First Name": first, "Last Name": last, "Provider": "yes"}


def _payer(row: Record) -> Record:
    return {
        "ID": row["Id"], "Name": row["NAME"], "Phone": row["PHONE"], "Address 1": row["ADDRESS"], "City": row["CITY"],
        "State": row["STATE_HEADQUARTERED"], "ZIP": _zip(row["ZIP"]),
    }  # fmt: skip


def _client(row: Record, is_insured: bool) -> Record:
    first, _, middle = row["FIRST"].partition(" ")
    return {
        "ID": row["Id"], "First Name": first, "Middle Name": middle, "Last Name": row["LAST"],
        "Birth Date": row["BIRTHDATE"], "Sex": row["GENDER"], "Address 1": row["ADDRESS"], "City": row["CITY"],
        "State": MASSACHUSETTS.get(row["STATE"], ""), "ZIP": _zip(row["ZIP"]),
        "Active": "no" if row["DEATHDATE"] else "yes", "Pays By": "Insurance" if is_insured else "Self",
    }  # fmt: skip


def _service_types(charges: Iterable[Record]) -> list[Record]:
    """One for each code, under its commonest name and price; every visit carries its own price anyway."""
    by_code: dict[str, list[Record]] = defaultdict(list)
    for charge in charges:
        by_code[charge["PROCEDURECODE"]].append(charge)
    return [
        {
            "ID": code, "Code": code, "Name": _commonest(row["NOTES"] or code for row in rows)[:120], "Kind": "Non-CPT",
            "Rate": _commonest(row["UNITAMOUNT"] for row in rows),
        }
        for code, rows in sorted(by_code.items())
    ]  # fmt: skip


def _coverages(transitions: Iterable[Record], payer_ids: set[str], zone: ZoneInfo) -> list[Record]:
    """Policies by client: years that follow each other with one payer and member become one row; where years overlap,
    the later one ends the earlier. A secondary payer is a row of its own with rank 2."""
    policies: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for row in sorted(transitions, key=lambda row: (row["PATIENT"], row["START_YEAR"])):
        for payer, rank in ((row["PAYER"], "1"), (row["SECONDARY_PAYER"], "2")):
            # Self pay counts here: it too ends what went before.
            if payer:
                _append(policies[row["PATIENT"], rank], row, payer, rank, zone)
    kept = [policy for list_ in policies.values() for policy in list_ if policy["Payer"] in payer_ids]
    for number, policy in enumerate(kept, start=1):
        policy["ID"] = f"policy-{number}"
    return kept


def _append(policies: list[Record], row: Record, payer: str, rank: str, zone: ZoneInfo) -> None:
    starts, ends = (_local(row[name], zone).date().isoformat() for name in ("START_YEAR", "END_YEAR"))
    member = row["MEMBERID"] or row["PATIENT"]
    if ends <= starts:
        return
    last = policies[-1] if policies else None
    if last and (last["Payer"], last["Insured ID"]) == (payer, member) and starts <= last["Ends On"]:
        last["Ends On"] = max(last["Ends On"], ends)
        return
    if last and starts < last["Ends On"]:
        last["Ends On"] = starts
        if last["Ends On"] <= last["Starts On"]:
            policies.pop()
    first, _, family = row["OWNERNAME"].rpartition(" ")
    policies.append({
        "ID": "", "Client": row["PATIENT"], "Payer": payer, "Rank": rank, "Insured ID": member,
        "Relationship": RELATIONSHIPS.get(row["OWNERSHIP"], "Self"), "Insured First Name": first,
        "Insured Last Name": family, "Starts On": starts, "Ends On": ends,
    })  # fmt: skip


def _appointments(encounters: Iterable[Record], charges: Iterable[Record], zone: ZoneInfo) -> Iterable[Record]:
    by_encounter: dict[str, list[Record]] = defaultdict(list)
    for charge in charges:
        by_encounter[charge["APPOINTMENTID"]].append(charge)
    for encounter in sorted(encounters, key=lambda row: row["START"]):
        starts, stops = (_local(encounter[name], zone) for name in ("START", "STOP"))
        seconds = (stops - starts).total_seconds()
        visit = {
            "Appointment ID": encounter["Id"], "Visit ID": encounter["Id"], "Start": f"{starts:%Y-%m-%d %H:%M}",
            "Minutes": str(max(1, round(seconds / 60))), "Staff": encounter["PROVIDER"],
            "Location": encounter["ORGANIZATION"],
            "Place of Service": PLACES.get(encounter["ENCOUNTERCLASS"], ""), "Client": encounter["PATIENT"],
            "Status": "Kept",
        }  # fmt: skip
        for charge in by_encounter[encounter["Id"]]:
            yield visit | {
                "Service ID": charge["ID"], "Service Type": charge["PROCEDURECODE"], "Units": charge["UNITS"],
                "Price": charge["UNITAMOUNT"],
            }  # fmt: skip
        if not by_encounter[encounter["Id"]]:
            yield visit


def _local(moment: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).astimezone(zone)


def _zip(text: str) -> str:
    return text.zfill(5) if text else ""


def _commonest(texts: Iterable[str]) -> str:
    return Counter(texts).most_common(1)[0][0]


def _read(folder: Path, name: str) -> list[Record]:
    with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: Sequence[Record]) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    sys.exit(main())
