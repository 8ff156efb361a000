"""Reports over the whole practice, each beside the one statement that defines it; and `verify`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from daysheet.config.verify import verify_practice
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.queries.unbilled import unbilled_count
from daysheet.reports.queries.ageing import AgingFilters, Debtor, invoice_aging
from daysheet.reports.queries.day_sheet import day_sheet

from ..measuring import Budget, Path, Prepare, Work
from . import floors
from .bench import Bench

_REPORT = Budget(ratio=1.5, seconds=2.0)


def report_paths(bench: Bench) -> Iterator[Path]:
    """Ageing now and then, by client and by insurer; the Day Sheet; what is unbilled; who owes; verify."""
    today, past, visits = bench.shape.today, bench.past, bench.shape.visits
    for key, title, filters, sql in (
        ("ageing", "ageing by client, today", AgingFilters(today), _AGEING),
        ("ageing_insurers", "ageing by insurer, today", AgingFilters(today, Debtor.INSURER), _AGEING_INSURERS),
        ("ageing_past", "ageing by client, a past day", AgingFilters(past), _AGEING_PAST),
    ):
        yield _path(bench, key, title, lambda asked=filters: invoice_aging(bench.actor, asked), sql, visits)
    yield _path(bench, "day_sheet", "day sheet", lambda: day_sheet(bench.actor, past), _DAY_SHEET, visits)
    yield _path(
        bench, "unbilled_count", "unbilled count", lambda: unbilled_count(bench.actor), floors.UNBILLED, visits,
        Budget(ratio=2.0, seconds=0.15),
    )  # fmt: skip
    yield _page(bench, "ageing_page", "ageing by client, the page", "reports/invoice-aging/")
    yield _page(bench, "day_sheet_page", "day sheet, the page", f"reports/day-sheet/?day={past}")
    yield _page(bench, "unbilled_page", "Unbilled, the page", "billing/unbilled/")
    period = f"from_on={past}&to_on={today}&who=owing&at_least=1"
    yield _page(bench, "statements_page", "Batch Statements, who owes", f"billing/batch-statements/?{period}")
    yield Path("verify", "verify", _verify(bench), units=visits, most_rounds=3)


def _path(
    bench: Bench, key: str, title: str, read: Callable[[], Any], sql: str, units: int, budget: Budget = _REPORT
) -> Path:
    def prepare(number: int) -> Work:
        def ask() -> None:
            with practice_transaction(bench.practice_id):
                read()

        return ask

    floor = floors.plain(bench.connection, bench.practice_id, [(sql, bench.params)])
    return Path(key, title, prepare, lambda number: floor, budget, units=units, most_rounds=9)


def _page(bench: Bench, key: str, title: str, address: str) -> Path:
    def prepare(number: int) -> Work:
        def ask() -> None:
            assert bench.browser.get(f"/{bench.shape.slug}/{address}").status_code == 200

        return ask

    return Path(key, title, prepare, budget=Budget(seconds=2.0), units=bench.shape.visits, most_rounds=9)


def _verify(bench: Bench) -> Prepare:
    def prepare(number: int) -> Work:
        def check() -> None:
            verified = verify_practice(bench.loaded.practice, bench.loaded.now)
            assert verified.difference_count == 0, [found for found in verified.results if found.count]

        return check

    return prepare


_BUCKETS = """sum(cents) FILTER (WHERE age <= 30), sum(cents) FILTER (WHERE age BETWEEN 31 AND 60),
    sum(cents) FILTER (WHERE age BETWEEN 61 AND 90), sum(cents) FILTER (WHERE age BETWEEN 91 AND 120),
    sum(cents) FILTER (WHERE age > 120), sum(credit)"""
_AGEING = f"""
    SELECT c.id, c.last_name, c.first_name, {_BUCKETS} FROM (
        SELECT client_id, %(today)s - service_on AS age, client_open_cents AS cents, 0 AS credit
        FROM invoicing_invoiceline
        WHERE practice_id = %(practice)s AND (client_open_cents > 0 OR insurance_open_cents > 0)
          AND client_open_cents > 0
        UNION ALL
        SELECT client_id, 0, 0, unapplied_cents FROM payments_payment
        WHERE practice_id = %(practice)s AND unapplied_cents > 0 AND client_id IS NOT NULL
    ) o JOIN clients_client c ON c.practice_id = %(practice)s AND c.id = o.client_id
    GROUP BY 1, 2, 3 ORDER BY 2, 3, 1"""
_AGEING_INSURERS = f"""
    SELECT y.id, y.name, {_BUCKETS} FROM (
        SELECT k.payer_id, %(today)s - l.service_on AS age, l.insurance_open_cents AS cents, 0 AS credit
        FROM invoicing_invoiceline l
        JOIN clients_coverage k ON k.practice_id = l.practice_id AND k.id = l.coverage_id
        WHERE l.practice_id = %(practice)s AND (l.client_open_cents > 0 OR l.insurance_open_cents > 0)
          AND l.insurance_open_cents > 0
        UNION ALL
        SELECT payer_id, 0, 0, unapplied_cents FROM payments_payment
        WHERE practice_id = %(practice)s AND unapplied_cents > 0 AND payer_id IS NOT NULL
    ) o JOIN clients_payer y ON y.practice_id = %(practice)s AND y.id = o.payer_id
    GROUP BY 1, 2 ORDER BY 2, 1"""
_AGEING_PAST = f"""
    SELECT c.id, c.last_name, c.first_name, {_BUCKETS} FROM (
        SELECT l.client_id, %(past)s - l.service_on AS age, b.cents, 0 AS credit FROM (
            SELECT line_id, sum(amount_cents * ((debit_account = 'client_receivable')::int
                - (credit_account = 'client_receivable')::int)) AS cents
            FROM ledger_entry
            WHERE practice_id = %(practice)s AND effective_on <= %(past)s AND line_id IS NOT NULL GROUP BY 1
        ) b JOIN invoicing_invoiceline l ON l.practice_id = %(practice)s AND l.id = b.line_id
        WHERE b.cents <> 0
        UNION ALL
        SELECT p.client_id, 0, 0, u.cents FROM (
            SELECT payment_id, sum(amount_cents * ((credit_account = 'credit')::int
                - (debit_account = 'credit')::int)) AS cents
            FROM ledger_entry
            WHERE practice_id = %(practice)s AND effective_on <= %(past)s AND payment_id IS NOT NULL GROUP BY 1
        ) u JOIN payments_payment p ON p.practice_id = %(practice)s AND p.id = u.payment_id
        WHERE u.cents <> 0 AND p.client_id IS NOT NULL
    ) o JOIN clients_client c ON c.practice_id = %(practice)s AND c.id = o.client_id
    GROUP BY 1, 2, 3 ORDER BY 2, 3, 1"""
#: The proof over everything before, and the day's own entries by who, whose line, how.
_DAY_SHEET = """
    SELECT e.effective_on = %(past)s, CASE WHEN e.effective_on = %(past)s THEN e.actor_name END,
        CASE WHEN e.effective_on = %(past)s THEN l.rendering_name END,
        CASE WHEN e.effective_on = %(past)s THEN p.method END, e.debit_account, e.credit_account, sum(e.amount_cents),
        count(*)
    FROM ledger_entry e
    LEFT JOIN invoicing_invoiceline l ON l.practice_id = %(practice)s AND l.id = e.line_id
        AND e.effective_on = %(past)s
    LEFT JOIN payments_payment p ON p.practice_id = %(practice)s AND p.id = e.payment_id AND e.effective_on = %(past)s
    WHERE e.practice_id = %(practice)s AND e.effective_on <= %(past)s
    GROUP BY 1, 2, 3, 4, 5, 6"""
