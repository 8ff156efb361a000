"""Invoice Aging, Payments, Payment Methods, Credits, Unbilled and Collections. Filters stand in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from daysheet.kit.tables import Table
from daysheet.web.downloads import asked_format, download
from daysheet.web.requests import actor_of, page_number
from daysheet.web.views import render_page

from .. import money_tables as tables
from ..forms import (
    AgingForm,
    CreditsForm,
    Filters,
    RangeForm,
    ReceiptsForm,
    UnbilledForm,
    last_year,
    month_so_far,
)
from ..links import report_url
from ..queries.ageing import AgingFilters, Debtor, Since, open_lines
from ..queries.ageing import invoice_aging as read_aging
from ..queries.collections import collections as read_collections
from ..queries.credits import CreditFilters, credits_on
from ..queries.receipts import ReceiptFilters, method_totals, receipts
from ..queries.unbilled import MOST, unbilled_ages
from ..rules import BUCKETS
from .asked import EXPORT_ROWS, PAGE_ROWS, page_links, too_long

_REPORT = "reports/report.html"


@require_safe
def invoice_aging(request: HttpRequest) -> HttpResponse:
    """Who owes what, and for how long; with a picture of the total."""
    actor = actor_of(request)
    form = AgingForm(request.GET, defaults={"by": "client", "since": "service", "as_of": actor.today})
    aging = read_aging(actor, _aging_filters(form))
    if wanted := asked_format(request):
        return download(f"invoice-aging-{aging.filters.as_of}", [tables.aging_table(actor, aging)], wanted)
    number = page_number(request)
    first = (number - 1) * PAGE_ROWS
    chart = {
        "type": "bar",
        "labels": [f"{bucket.label} days" for bucket in BUCKETS],
        "series": [{"label": "Due", "cents": list(aging.total.bucket_cents)}],
    }
    context = {
        "title": "Invoice Aging",
        "form": form,
        "table": tables.aging_table(actor, aging, first, first + PAGE_ROWS),
        "chart": chart,
        "chart_label": "Everything due, by age in days",
        "note": "Due by age, less unapplied credit, is the balance.",
        "empty": "Nobody owes anything and there is no credit.",
        **page_links(request, number, first + PAGE_ROWS < len(aging.rows)),
    }
    return render_page(request, _REPORT, context)


@require_safe
def aging_lines(request: HttpRequest) -> HttpResponse:
    """The lines behind an amount of Invoice Aging."""
    actor = actor_of(request)
    form = AgingForm(request.GET, defaults={"by": "client", "since": "service", "as_of": actor.today})
    filters, asked = _aging_filters(form), form.answer("bucket")
    limit, offset, wanted = _window(request)
    lines, total, count = open_lines(actor, filters, of=form.answer("of"), bucket=asked, limit=limit, offset=offset)
    back_url = report_url(actor, "invoice_aging", by=filters.debtor, since=filters.since, as_of=filters.as_of)
    bucket = f", {BUCKETS[asked].label} days" if asked is not None else ""
    context = {
        "title": "Open Lines",
        "form": form,
        "note": f"{count:,} lines{bucket}. Each invoice shows the entries behind its lines.",
        "back_url": back_url,
        "back": "Invoice Aging",
        "empty": "Nothing is open.",
    }
    return _answer(
        request, context, [tables.open_lines_table(actor, filters, lines, total)], wanted, count, "open-lines"
    )


@require_safe
def payments(request: HttpRequest) -> HttpResponse:
    """Payment by payment, refunds and reversals among them."""
    actor = actor_of(request)
    form = ReceiptsForm(request.GET, defaults=month_so_far(actor.today))
    limit, offset, wanted = _window(request)
    filters = _receipt_filters(form)
    rows, total, count = receipts(actor, filters, limit=limit, offset=offset)
    context = {
        "title": "Payments",
        "form": form,
        "note": f"{count:,} rows by posting date: the sum is that of the Day Sheets of these days.",
        "empty": "No money came in or was given back on these days.",
    }
    return _answer(request, context, [tables.receipts_table(actor, filters, rows, total)], wanted, count, "payments")


@require_safe
def payment_methods(request: HttpRequest) -> HttpResponse:
    """The deposit slip: by method, and the checks one by one."""
    actor = actor_of(request)
    form = ReceiptsForm(request.GET, defaults={"from_on": actor.today, "to_on": actor.today})
    filters = _receipt_filters(form)
    totals = method_totals(actor, filters)
    slip = [tables.methods_table(actor, totals, filters)]
    count = 0
    for method, label in (("check", "Checks"), ("ins_check", "Insurance checks")):
        if filters.method in ("", method) and any(row.method == method for row in totals):
            narrowed = ReceiptFilters(filters.from_on, filters.to_on, method, filters.source)
            rows, total, found = receipts(actor, narrowed, limit=EXPORT_ROWS)
            count = max(count, found)
            slip.append(tables.receipts_table(actor, narrowed, rows, total, label))
    context = {
        "title": "Payment Methods",
        "form": form,
        "note": "The deposit slip of these days, by posting date. Print it with your browser (Ctrl+P).",
        "empty": "No money came in on these days.",
    }
    return _answer(request, context, slip, asked_format(request), count, "payment-methods", is_whole=True)


@require_safe
def credits(request: HttpRequest) -> HttpResponse:
    """Money received that is on no invoice, oldest first."""
    actor = actor_of(request)
    form = CreditsForm(request.GET, defaults={"as_of": actor.today})
    limit, offset, wanted = _window(request)
    filters = CreditFilters(
        form.answer("as_of"), form.answer("source") or "", form.answer("client"), form.answer("payer")
    )
    rows, total, count = credits_on(actor, filters, limit=limit, offset=offset)
    context = {
        "title": "Credits",
        "form": form,
        "note": f"{count:,} payments are not applied in full, oldest first.",
        "empty": "All money received is applied to invoices.",
    }
    return _answer(request, context, [tables.credits_table(actor, filters, rows, total)], wanted, count, "credits")


@require_safe
def collections(request: HttpRequest) -> HttpResponse:
    """Month by month, with a picture."""
    actor = actor_of(request)
    form = RangeForm(request.GET, defaults=last_year(actor.today))
    months = read_collections(actor, form.answer("from_on"), form.answer("to_on"))
    context = {
        "title": "Collections",
        "form": form,
        "note": "By posting date: each month is the sum of its Day Sheets.",
        "chart": {
            "type": "bar",
            "labels": [f"{month.from_on:%b %Y}" for month in months],
            "series": [
                {"label": "Charges", "cents": [month.charges_cents for month in months]},
                {"label": "Payments", "cents": [month.payments_cents for month in months]},
                {"label": "Adjustments", "cents": [month.adjustments_cents for month in months]},
            ],
        },
        "chart_label": "Charges, payments and adjustments by month",
    }
    table = tables.collections_table(actor, months)
    return _answer(request, context, [table], asked_format(request), len(months), "collections", is_whole=True)


@require_safe
def unbilled(request: HttpRequest) -> HttpResponse:
    """Unbilled dates of service by age and reason, and those of one count."""
    actor = actor_of(request)
    form = UnbilledForm(request.GET)
    reason, bucket = form.answer("reason") or "", form.answer("bucket")
    ages = unbilled_ages(actor, reason=reason, bucket=bucket)
    shown = [tables.unbilled_table(actor, ages)]
    wanted, number = asked_format(request), page_number(request)
    if reason or bucket is not None:
        first, last = (0, MOST) if wanted else ((number - 1) * PAGE_ROWS, number * PAGE_ROWS)
        shown.append(tables.unbilled_dates_table(actor, ages, first, last))
    context = {
        "title": "Unbilled",
        "note": f"More than {MOST:,} dates of service are not billed: these are the oldest." if ages.is_cut else "",
        "bare_from_on": ages.bare_from_on,
        "empty": "Every date of service up to today is on an invoice or needs none.",
        **page_links(request, number, number * PAGE_ROWS < len(ages.rows)),
    }
    if wanted:
        return download("unbilled", shown, wanted)
    return render_page(request, "reports/unbilled.html", {**context, "tables": shown, "form": form})


def _aging_filters(form: AgingForm) -> AgingFilters:
    return AgingFilters(form.answer("as_of"), Debtor(form.answer("by")), Since(form.answer("since")))


def _receipt_filters(form: Filters) -> ReceiptFilters:
    return ReceiptFilters(
        form.answer("from_on"), form.answer("to_on"), form.answer("method") or "", form.answer("source") or ""
    )


def _window(request: HttpRequest) -> tuple[int, int, str]:
    """How many rows, from which on, and the format of the file where one is wanted."""
    wanted = asked_format(request)
    return (EXPORT_ROWS, 0, wanted) if wanted else (PAGE_ROWS, (page_number(request) - 1) * PAGE_ROWS, "")


def _answer(
    request: HttpRequest, context: dict[str, Any], shown: Sequence[Table], wanted: str, count: int, file_name: str,
    *, is_whole: bool = False,
) -> HttpResponse:  # fmt: skip
    """The page, or the file. `is_whole`: the page has no further pages."""
    if wanted:
        return too_long(request) if count > EXPORT_ROWS else download(file_name, shown, wanted)
    number = page_number(request)
    links = {} if is_whole else page_links(request, number, number * PAGE_ROWS < count)
    return render_page(
        request, _REPORT, {**context, "table": shown[0], "more_tables": shown[1:], "has_rows": bool(count), **links}
    )
