"""Pages of what is owed: an insurer with very many open lines.

Beside the plain queries that each needs; a page holds 200 lines, whatever is open.
"""

from __future__ import annotations

from collections.abc import Iterator

from daysheet.payments.queries.insurer_desk import MOST_LINES

from ..measuring import Budget, Path, Work
from ..sql import in_practice
from . import floors
from .bench import Bench

_PAGE = Budget(ratio=2.0, seconds=0.15)
#: Two hundred lines of four fields each.
_LONG_PAGE = Budget(ratio=3.0, seconds=1.0)


def open_money_paths(bench: Bench) -> Iterator[Path]:
    """Batch Payments before and after the insurer is chosen."""
    params = {**bench.params, "lines": MOST_LINES + 1}
    with in_practice(bench.connection, bench.practice_id):
        row = bench.connection.execute(_LARGEST, params).fetchone()
    assert row is not None, "no insurer owes anything"
    params["payer"], open_lines, open_invoices = row
    yield _page(
        bench, "batch_payments", f"Batch Payments, {open_invoices:,} open invoices", "billing/batch-payments/",
        (_PAYERS,), params, _PAGE,
    )  # fmt: skip
    yield _page(
        bench, "insurer_page", f"insurer's page, {open_lines:,} open lines",
        f"billing/batch-payments/?payer={params['payer']}", (_PAYERS, _LINES), params, _LONG_PAGE,
    )  # fmt: skip


def _page(
    bench: Bench, key: str, title: str, address: str, statements: tuple[str, ...], params: dict[str, object],
    budget: Budget,
) -> Path:  # fmt: skip
    asked = [(sql, params) for sql in (*floors.WHO, *statements, floors.UNBILLED)]
    floor = floors.plain(bench.connection, bench.practice_id, asked)

    def prepare(number: int) -> Work:
        def ask() -> None:
            response = bench.browser.get(f"/{bench.shape.slug}/{address}")
            assert response.status_code == 200, f"{address}: {response.status_code}"

        return ask

    return Path(key, title, prepare, lambda number: floor, budget, by_database=True, units=bench.shape.visits)


_OPEN = """FROM invoicing_invoiceline l
    JOIN clients_coverage k ON k.practice_id = l.practice_id AND k.id = l.coverage_id
    WHERE l.practice_id = %(practice)s AND l.insurance_open_cents > 0"""
_LARGEST = f"""
    SELECT k.payer_id, count(*), (SELECT count(DISTINCT o.invoice_id) FROM invoicing_invoiceline o
        WHERE o.practice_id = %(practice)s AND (o.client_open_cents > 0 OR o.insurance_open_cents > 0))
    {_OPEN} GROUP BY 1 ORDER BY 2 DESC LIMIT 1"""
_PAYERS = f"""
    SELECT y.id, y.name FROM clients_payer y
    WHERE y.practice_id = %(practice)s AND y.id IN (SELECT k.payer_id {_OPEN}) ORDER BY y.name"""
_LINES = """
    SELECT l.*, k.*, c.*, i.* FROM invoicing_invoiceline l
    JOIN clients_coverage k ON k.practice_id = l.practice_id AND k.id = l.coverage_id
    JOIN clients_client c ON c.practice_id = l.practice_id AND c.id = l.client_id
    JOIN invoicing_invoice i ON i.practice_id = l.practice_id AND i.id = l.invoice_id
    WHERE l.practice_id = %(practice)s AND l.insurance_open_cents > 0 AND k.payer_id = %(payer)s
    ORDER BY l.service_on, c.last_name, l.id LIMIT %(lines)s"""
