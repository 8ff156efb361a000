"""Reports: the list of them, the Day Sheet with its closing, and the entries behind a figure."""

from __future__ import annotations

from datetime import date, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from daysheet.kit.dates import us_date
from daysheet.kit.errors import NotAllowed, Refusal
from daysheet.kit.money import Money
from daysheet.ledger.books import closed_through
from daysheet.ledger.closing import close_day, closed_day, closing_of
from daysheet.ledger.rules import EntryClass
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.downloads import asked_format, download
from daysheet.web.menus import REPORTS_MENU, visible_links
from daysheet.web.requests import actor_of, page_number
from daysheet.web.views import render_page, see_other

from ..day_tables import day_sheet_tables, entries_table
from ..forms import CloseDayForm, DayForm, EntriesForm
from ..links import report_url
from ..queries.day_sheet import day_sheet as read_day_sheet
from ..queries.entries import Balance, Direction, EntryFilters, entries_behind
from .asked import EXPORT_ROWS, PAGE_ROWS, page_links, too_long

_ABOUT = {
    "Day Sheet": "Charges, payments and adjustments of a day, the deposit, and the proof that they add up. Close the "
    "day here.",
    "Invoice Aging": "What clients and insurers owe, by how long they have owed it, as of any day.",
    "Payments": "Money that came in and was given back, payment by payment.",
    "Payment Methods": "The deposit slip: what came in by each method, check by check.",
    "Credits": "Money received that is on no invoice yet, with its age.",
    "Unbilled": "Dates of service that are not on an invoice, by age and by what stops them.",
    "Collections": "Charges, payments and adjustments, month by month.",
}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every report with what it is for."""
    actor = actor_of(request)
    actor.require(Permission.BILLING)
    reports = [(link, _ABOUT.get(link.label, "")) for link in visible_links(actor, REPORTS_MENU)]
    return render_page(request, "reports/index.html", {"reports": reports})


@require_safe
def day_sheet(request: HttpRequest) -> HttpResponse:
    """The sheet of `?day=`, today unless asked otherwise."""
    actor = actor_of(request)
    form = DayForm(request.GET, defaults={"day": actor.today})
    asked_on: date = form.answer("day")
    sheet = read_day_sheet(actor, asked_on)
    tables = day_sheet_tables(actor, sheet)
    if wanted := asked_format(request):
        return download(f"day-sheet-{asked_on.isoformat()}", tables, wanted)
    context = {
        "form": form,
        "sheet": sheet,
        "proof": tables[0],
        "tables": tables[1:-1],
        "unfinished": tables[-1],
        "previous_url": report_url(actor, "day_sheet", day=asked_on - timedelta(days=1)),
        "next_url": report_url(actor, "day_sheet", day=asked_on + timedelta(days=1)),
        "today_url": report_url(actor, "day_sheet"),
        "closing_text": _closing_text(asked_on, sheet.totals.closing_cents, sheet.totals.entry_count),
        **_closing(actor, asked_on),
    }
    return render_page(request, "reports/day_sheet.html", context)


@require_POST
def close(request: HttpRequest) -> HttpResponse:
    """Close a day, once the person has been told what that locks."""
    actor = actor_of(request)
    actor.require(Permission.BILLING)
    form = CloseDayForm(request.POST)
    if not form.is_valid():
        return _not_closed(request, actor, "The form was not complete. Nothing was closed.", None)
    seen = form.cleaned_data
    back_url = report_url(actor, "day_sheet", day=seen["day"])
    if request.POST.get("confirmed") != "yes":
        return render_page(request, "web/confirm.html", _confirmation(request, seen, back_url))
    try:
        close_day(actor, **seen)
    except NotAllowed:
        raise
    except Refusal as refusal:
        return _not_closed(request, actor, refusal.message, seen["day"])
    messages.success(request, f"{us_date(seen['day'])} and every day before it are closed.")
    return see_other(request, back_url)


@require_safe
def entries(request: HttpRequest) -> HttpResponse:
    """The entries behind a figure of a report."""
    actor = actor_of(request)
    form = EntriesForm(request.GET, defaults={"from_on": actor.today, "to_on": actor.today})
    filters = _filters(form)
    wanted, number = asked_format(request), page_number(request)
    limit, offset = (EXPORT_ROWS, 0) if wanted else (PAGE_ROWS, (number - 1) * PAGE_ROWS)
    page = entries_behind(actor, filters, limit=limit, offset=offset)
    if wanted and page.count > EXPORT_ROWS:
        return too_long(request)
    table = entries_table(actor, page, "Entries")
    if wanted:
        return download("entries", [table], wanted)
    context = {
        "form": form,
        "table": table,
        "shown_count": page.count,
        "filters": filters,
        "day_sheet_url": report_url(actor, "day_sheet", day=filters.to_on),
        **page_links(request, number, offset + len(page.rows) < page.count),
    }
    return render_page(request, "reports/entries.html", context)


def _filters(form: EntriesForm) -> EntryFilters:
    names = ("staff", "provider", "method", "kind", "direction", "balance")
    named = {name: form.answer(name) or None for name in names}
    return EntryFilters(
        form.answer("from_on"),
        form.answer("to_on"),
        kind=EntryClass(named["kind"]) if named["kind"] else None,
        staff=_name(named["staff"]),
        provider=_name(named["provider"]),
        method=named["method"],
        source=form.answer("source") or "",
        direction=Direction(named["direction"]) if named["direction"] else None,
        balance=Balance(named["balance"]) if named["balance"] else None,
        client_id=form.answer("client"),
        payer_id=form.answer("payer"),
    )


def _name(asked: str | None) -> str | None:
    """`none` in an address is the empty name."""
    return "" if asked == "none" else asked


def _closing(actor: Actor, day: date) -> dict[str, object]:
    """Whether the day is closed, by whom, and whether this person may close it."""
    locked = closing_of(actor, day)
    return {
        "locked": locked,
        "closed": closed_day(actor, day) if locked else None,
        "closed_through_on": closed_through(actor),
        "may_close": locked is None and day <= actor.today and not actor.limited_to_assigned,
    }


def _confirmation(request: HttpRequest, seen: dict[str, object], back_url: str) -> dict[str, object]:
    day, closing_cents, entry_count = seen["day"], seen["expected_closing_cents"], seen["expected_entry_count"]
    assert isinstance(day, date) and isinstance(closing_cents, int) and isinstance(entry_count, int)
    return {
        "title": f"Close {us_date(day)}?",
        "text": _closing_text(day, closing_cents, entry_count),
        "action": request.path,
        "yes": "Yes, close it",
        "cancel_url": back_url,
        "carried": [(name, request.POST[name]) for name in seen],
    }


def _closing_text(day: date, closing_cents: int, entry_count: int) -> str:
    """What closing means, for the dialogue and for the page that stands for it."""
    return (
        f"{us_date(day)} closes at {Money(closing_cents)}, with {entry_count:,} entries on the day. Closing is final: "
        f"no payment, charge or correction can be posted on {us_date(day)} or any day before it any more. What is "
        "entered later is posted on a later day."
    )


def _not_closed(request: HttpRequest, actor: Actor, message: str, day: date | None) -> HttpResponse:
    context = {"message": message, "back_url": report_url(actor, "day_sheet", day=day)}
    return render_page(request, "reports/not_closed.html", context, status=422)
