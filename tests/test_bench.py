"""The benchmark at a tiny size: what it loads is right, every path runs, and a floor does the work of its product.

No times: those are for `make bench`, on a machine that does nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.plugin import ROOT, clone_beside, drop_clone_beside

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("bench")]  # one build of the practice

VISITS, BATCH = 400, 40


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A database of its own with the practice and one small one beside it."""
    runtime_url, owner_url = clone_beside("bench")
    home = str(tmp_path_factory.mktemp("bench"))
    names = {"DATABASE_URL": runtime_url, "DATABASE_OWNER_URL": owner_url, "DAYSHEET_HOME": home}
    _run("bench.build", str(VISITS), "--beside", "1", "--logins", "1", environment=os.environ | names)
    yield os.environ | names
    drop_clone_beside("bench")


@pytest.fixture(scope="module")
def measured(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Every path, once, by its key. `verify` has looked at what was built, and at what the paths wrote."""
    found: dict[str, dict[str, Any]] = {}
    for part in ("reads", "writes"):
        out = tmp_path_factory.mktemp("measured") / f"{part}.json"
        arguments = (part, "--rounds", "1", "--batch", str(BATCH), "--out", str(out))
        _run("bench.measure", *arguments, environment=environment)
        found |= {path["key"]: path for path in json.loads(out.read_text())}
    return found


def test_every_path_runs(measured: dict[str, dict[str, Any]]) -> None:
    assert set(measured) == {
        "agenda", "client_search", "ledger_open", "ledger_paid", "ledger_payments", "ledger_activity", "batch_search",
        "existing", "batch_payments", "insurer_page", "ageing", "ageing_insurers", "ageing_past", "day_sheet",
        "unbilled_count", "ageing_page", "unbilled_page", "statements_page", "statements",
        "day_sheet_page", "verify", f"batch_{BATCH}", "add_invoice", "add_invoice_click", "insurance_payment", "import",
    }  # fmt: skip
    assert all(path["seconds"]["median"] > 0 for path in measured.values())


def test_queries_stay_within_their_budget(measured: dict[str, dict[str, Any]]) -> None:
    budgets = {key: path["budget"]["queries"] for key, path in measured.items() if path["budget"]["queries"]}
    assert budgets
    assert {key: measured[key]["queries"] for key in budgets if measured[key]["queries"] > budgets[key]} == {}


def test_the_plain_sql_of_a_batch_bills_what_the_door_bills(
    environment: dict[str, str], measured: dict[str, dict[str, Any]]
) -> None:
    """The same clients, services and prices on other Sundays: every frozen fact of the lines is the same."""
    assert measured[f"batch_{BATCH}"]["floor"]
    with psycopg.connect(environment["DATABASE_OWNER_URL"]) as connection:
        door, plain = (connection.execute(_LINES.format(which)).fetchall() for which in ("IS NOT NULL", "IS NULL"))
    assert door == plain
    assert sum(row[-1] for row in door) == BATCH * 2


#: Lines of today's batches, by everything that B9 freezes, with how many there are.
_LINES = """
    SELECT l.client_id, l.code, l.name, l.is_cpt, l.modifiers, l.place_of_service, l.rate_cents, l.units,
        l.client_cents, l.insurance_cents, l.price_source, l.coverage_id, l.copay_cents, l.rendering_name,
        l.rendering_npi, l.billing_name, l.billing_npi, l.diagnosis_codes, i.client_name, i.client_address,
        i.practice_name, i.practice_address, count(*)
    FROM invoicing_invoiceline l JOIN invoicing_invoice i ON i.practice_id = l.practice_id AND i.id = l.invoice_id
    WHERE i.door = 'batch' AND i.issued_on = (SELECT max(issued_on) FROM invoicing_invoice)
      AND extract(isodow FROM l.service_on) = 7 AND i.batch_id {}
    GROUP BY {}""".replace("GROUP BY {}", f"GROUP BY {', '.join(map(str, range(1, 23)))} ORDER BY 1, 2")


def _run(module: str, *arguments: str, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"python -m {module} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"


def test_the_results_kept_are_of_a_commit_and_name_no_path_of_a_machine() -> None:
    for path in Path(ROOT, "bench", "results").glob("benchmark-1000000.json"):
        kept = json.loads(path.read_text())
        assert kept["commit"] and kept["sizes"]
        assert str(Path.home()) not in path.read_text()
