"""Files with generated cells, through the import's pages: uploaded, looked at, confirmed. Never a server error, all of
a file or nothing, and the books agree afterwards."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import strategies as st

from daysheet.imports.layouts import LAYOUTS
from daysheet.imports.tests.files import CLIENTS, LOCATIONS, SERVICES, STAFF, VISIT, take
from tests.architecture.world import World

from .fuzzer import Fuzzer
from .hostile import EDGES, VALUES, as_bytes, body_of, nearly, values
from .running import EXAMPLES, SECONDS, check, run
from .visitors import Outcome

#: A good row of each template, in the order in which they need each other.
GOOD = {
    "locations": LOCATIONS[0], "staff": STAFF[0], "payers": {"ID": "p1", "Name": "Blue Plan"},
    "service_types": SERVICES[0],
    "fee_schedules": {"Insurer": "p1", "Service Type": "t1", "From": "2026-01-01", "Rate": "110.00"},
    "clients": CLIENTS[0],
    "coverages": {"ID": "k1", "Client": "c1", "Payer": "p1", "Insured ID": "X1", "Starts On": "2026-01-01"},
    "appointments": VISIT, "opening_balances": {"ID": "b1", "Client": "c1", "Amount": "50", "Date": "2026-10-31"},
}  # fmt: skip
#: What makes another row of each.
NEXT = {
    "locations": {"ID": "l2", "Name": "Annex"}, "staff": {"ID": "s2"}, "payers": {"ID": "p2", "Name": "Red Plan"},
    "service_types": {"ID": "t2", "Code": "SHORT"}, "fee_schedules": {"From": "2026-02-01"}, "clients": {"ID": "c2"},
    "coverages": {"ID": "k2", "Rank": "2"}, "opening_balances": {"ID": "b2"},
    "appointments": {"Appointment ID": "a2", "Visit ID": "v2", "Service ID": "s2", "Start": "2026-11-03 09:00"},
}  # fmt: skip
#: What fits into cells that are still empty, and what nearly does.
CELLS = [
    "2026-01-01", "2026-11-02 09:00", "11/02/2026 2:30 PM", "2199-12-31", "1900-01-01", "2199-12-31 23:59", "yes", "50",
    "no", "0", "999999999", "-20.00", "21474836.47", "21474836.48", "90000000000000.00", "95", "95 HO", "NY", "F",
    "Kept", "No Show", "Late Cancel", "Client", "Practice", "c1", "c2", "s1", "l1", "t1", "p1", "s1;s1", "02", "10",
    "1234567893", "Self", "Insurance", "Non-CPT", "CPT", "ß" * 60, "a\u0301" * 30, "x@y.example",
]  # fmt: skip

pytestmark = [pytest.mark.timeout(max(300, 2 * SECONDS)), pytest.mark.xdist_group("fuzz files")]


@pytest.fixture(scope="module")
def importer(whole_world: World) -> Fuzzer:
    """The owner, where a row of each template is taken in already."""
    for kind, row in GOOD.items():
        take(whole_world.clinic.owner, kind, [row])
    return Fuzzer(whole_world, only={"imports:upload", "imports:confirm"})


def test_each_good_row_is_taken(importer: Fuzzer) -> None:
    """Else nothing below would try more than the reading of cells."""
    importer.begin()
    for kind, row in GOOD.items():
        with importer.taken_back():
            assert _sent(importer, kind, [row | NEXT[kind]]) is Outcome.TAKEN, kind
            assert importer.last.status_code == 303
    check(importer)
    assert importer.record.books_read > 0


def test_generated_cells(importer: Fuzzer) -> None:
    importer.begin()

    def example(data: st.DataObject) -> None:
        kind = data.draw(st.sampled_from(sorted(GOOD)))
        rows = [_spoilt(data, kind) for _ in range(data.draw(st.integers(1, 3)))]
        with importer.taken_back():
            _sent(importer, kind, rows)

    run(example, "files", examples=EXAMPLES // 2)
    check(importer)
    assert importer.record.answers["POST imports:confirm"][Outcome.TAKEN] > 3
    assert importer.record.answers["POST imports:confirm"][Outcome.IN_WORDS] > 3


def _spoilt(data: st.DataObject, kind: str) -> dict[str, str]:
    """A good row with up to three cells as they should not be, or just so."""
    row = GOOD[kind] | (NEXT[kind] if data.draw(st.booleans()) else {})
    for name in data.draw(st.lists(st.sampled_from([each.label for each in LAYOUTS[kind].columns]), max_size=3)):
        row[name] = data.draw(st.one_of(st.sampled_from([*CELLS, *EDGES, *VALUES]), nearly(CELLS), values))
    return row


def _sent(fuzzer: Fuzzer, kind: str, rows: list[dict[str, str]]) -> Outcome:
    """Uploaded; where that is taken, looked at and confirmed."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    file = ("file", f"{kind}.csv", as_bytes(text.getvalue()))
    outcome = fuzzer.send_and_keep(
        "imports:upload", "POST", "/alder/import/", **body_of("multipart", [("kind", kind)], [file])
    )
    if outcome is not Outcome.TAKEN:
        return outcome
    preview = fuzzer.last["Location"]
    fuzzer.send_and_keep("imports:preview", "GET", preview)
    return fuzzer.send_and_keep("imports:confirm", "POST", f"{preview}import")
