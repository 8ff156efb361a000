"""AMA CPT Licenses: by year, as CSV, assigning with a confirm step, correcting, CPT Code Access."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from daysheet.kit.dates import us_date
from daysheet.kit.money import Money
from daysheet.kit.numbers import whole_number
from daysheet.kit.spreadsheets import csv_text
from daysheet.staff.queries.members import get_staff_member
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of
from daysheet.web.views import render_page, see_other

from . import actions, queries
from .forms import AssignForm, CorrectForm

_CSV_HEADING = (
    *("Year", "Staff member", "NPI", "Since", "Fee", "Date paid", "Reference", "Assigned by", "CPT Code Access"),
    "Active",
)
_SECTION = {"section": "Organization"}


@require_safe
def licenses(request: HttpRequest) -> HttpResponse:
    """One year's licences and who has none."""
    actor = actor_of(request)
    shown = queries.licenses_of_year(actor, _asked_year(request))
    url = practice_url(actor, "staff:licenses")
    tabs = [
        {"label": str(year), "url": f"{url}?year={year}", "active": year == shown.year, "count": None}
        for year in shown.years
    ]
    return render_page(
        request, "licenses/licenses.html", {"shown": shown, "tabs": tabs, "zone": actor.practice.time_zone, **_SECTION}
    )


@require_safe
def licenses_csv(request: HttpRequest) -> HttpResponse:
    """The same as CSV, people without a licence left out."""
    actor = actor_of(request)
    shown = queries.licenses_of_year(actor, _asked_year(request))
    rows = [_csv_row(shown.year, row, actor.practice.time_zone) for row in shown.licensed]
    answer = HttpResponse(csv_text(_CSV_HEADING, rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="cpt-licenses-{shown.year}.csv"'
    return answer


def assign_license(request: HttpRequest, staff_member: UUID) -> HttpResponse:
    """The confirm step with the year's fee; afterwards back to where one came from (L4, L5)."""
    actor = actor_of(request)
    person = get_staff_member(actor, staff_member)
    fee_cents, year = queries.current_fee_cents(actor), actor.today.year
    back_url = _safe_next(request) or practice_url(actor, "staff:licenses")
    shown = {"year": year, "confirmed_fee_cents": fee_cents, "paid_on": actor.today}
    return form_page(
        request,
        AssignForm(request.POST or None, initial=shown),
        "licenses/assign.html",
        {"person": person, "fee_cents": fee_cents, "year": year, "back_url": back_url, **_SECTION},
        save=lambda typed: actions.assign_license(actor, staff_member, **typed),
        done=f"{person.name} holds a CPT license for {year}.",
        back_url=back_url,
    )


def license(request: HttpRequest, license: UUID) -> HttpResponse:
    """Correct what was paid."""
    actor = actor_of(request)
    row = queries.get_license(actor, license)
    back_url = f"{practice_url(actor, 'staff:licenses')}?year={row.year}"
    before = {"fee_cents": row.fee_cents, "paid_on": row.paid_on, "reference": row.reference}
    return form_page(
        request,
        CorrectForm(request.POST or None, initial=before),
        "licenses/correct.html",
        {"license": row, "back_url": back_url, **_SECTION},
        save=lambda typed: actions.correct_license(actor, license, **typed),
        done="The license was corrected.",
        back_url=back_url,
    )


@require_POST
def cpt_access(request: HttpRequest, staff_member: UUID) -> HttpResponse:
    """Turn CPT Code Access on or off."""
    actor = actor_of(request)
    has_access = request.POST.get("has_access") == "yes"
    actions.set_cpt_access(actor, staff_member, has_access=has_access)
    words = "on" if has_access else "off: this year stays usable, the license will not be renewed"
    messages.success(request, f"CPT Code Access is {words}.")
    return see_other(request, practice_url(actor, "staff:licenses"))


def _asked_year(request: HttpRequest) -> int | None:
    year = whole_number(request.GET.get("year"), most=2200)
    return year if year and year >= 2000 else None


def _safe_next(request: HttpRequest) -> str:
    asked = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if is_ours else ""


def _csv_row(year: int, row: queries.LicenseRow, time_zone: str) -> list[object]:
    since = us_date(_local(row.since, time_zone).date()) if row.since else ""
    paid = us_date(row.paid_on) if row.paid_on else ""
    access, active = ("on" if row.cpt_access else "off"), ("yes" if row.is_active else "no")
    return [
        *(year, row.name, row.npi, since, Money(row.fee_cents).plain, paid, row.reference, row.assigned_by),
        *(access, active),
    ]


def _local(moment: datetime, time_zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(time_zone))
