"""Pages of every day: their own queries beside the plain ones they need, and the time to the first byte.

The day, the client and the page of the search are of one size in every practice, so that growth shows what the size of
the practice costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..measuring import Budget, Path, Prepare, Work
from . import floors
from .bench import Bench

#: architecture.md, section 7: twice the plain queries, and a first byte within 150 ms on an idle machine.
_PAGE = Budget(ratio=2.0, seconds=0.15)


def page_paths(bench: Bench) -> Iterator[Path]:
    """The Agenda, the client search, ledger and lists."""
    first, today = bench.shape.bill_range(bench.shape.bills)[0], bench.shape.today
    yield _page(bench, "agenda", f"Agenda, a day of {bench.shape.agenda_visits}", "agenda/", floors.AGENDA)
    yield _page(bench, "client_search", "search box", "clients/search?q=ruiz", (floors.CLIENT_SEARCH,))
    client = f"clients/{bench.regular_id}/ledger/"
    for tab, statements in floors.LEDGER.items():
        title = f"ledger of {bench.shape.regular_visits} visits, {tab}"
        yield _page(bench, f"ledger_{tab}", title, f"{client}?tab={tab}", statements)
    dates = f"from_on={first}&to_on={today}"
    more = {"visits": _visits_of_first_page(bench)}
    yield _page(
        bench, "batch_search", f"batch search, {_active(bench):,} clients", f"billing/batch-invoicing/?{dates}",
        floors.BATCH_SEARCH, more, units=_active(bench),
    )  # fmt: skip
    existing = f"billing/batch-invoicing/existing/?{dates}"
    yield _page(bench, "existing", "Process Existing Invoices", existing, (floors.EXISTING, floors.UNBILLED))


def _page(
    bench: Bench, key: str, title: str, address: str, statements: Sequence[str],
    more: Mapping[str, Any] | None = None, units: int = 0,
) -> Path:  # fmt: skip
    params = {**bench.params, **(more or {})}
    asked = [(sql, params) for sql in (*floors.WHO, *statements)]
    floor = floors.plain(bench.connection, bench.practice_id, asked)
    return Path(key, title, _get(bench, address), lambda number: floor, _PAGE, by_database=True, units=units)


def _get(bench: Bench, address: str) -> Prepare:
    def prepare(number: int) -> Work:
        def ask() -> None:
            response = bench.browser.get(f"/{bench.shape.slug}/{address}")
            assert response.status_code == 200, f"{address}: {response.status_code}"

        return ask

    return prepare


def _active(bench: Bench) -> int:
    return bench.shape.clients // bench.shape.episodes


def _visits_of_first_page(bench: Bench) -> list[Any]:
    """The dates of the fifty clients that the first page of the search shows."""
    bench.connection.execute(f"SET app.practice_id = '{bench.practice_id}'")
    rows = bench.connection.execute(floors.SEARCH_DATES, bench.params).fetchall()
    bench.connection.rollback()
    clients = list(dict.fromkeys(row[1] for row in rows))[:50]
    return [row[0] for row in rows if row[1] in set(clients)]
