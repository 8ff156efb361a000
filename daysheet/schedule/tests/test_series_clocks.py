"""Issue 4, acceptance 1, of one series: Agenda, feed and documents agree on its days and its hour, in the evening, when
it is the next day already in UTC."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta

import icalendar
import pytest
import time_machine
from django.test import Client as Browser

from daysheet.database.scope import practice_transaction
from daysheet.documents.papers import Grid, Paper
from daysheet.documents.rendering import (
    Basis,
    Period,
    StatementChoices,
    invoice_papers,
    render_pdf,
    statement_papers,
    superbill_papers,
)
from daysheet.documents.tests.reading import page_texts
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.models import Invoice
from daysheet.kit.dates import us_date
from daysheet.practices.actor import Actor
from daysheet.practices.models import User
from daysheet.schedule import queries
from daysheet.schedule.feeds import make_feed
from daysheet.schedule.models import Appointment
from daysheet.staff.models import CptLicense
from tests.billing import Clinic, build_clinic
from tests.people import NOW, Cast

from .weekly import NEW_YORK, check_series, visit_of, weekly

#: Tuesdays from before November 1, 2026 until after March 14, 2027.
DAYS = [date(2026, 10, 20) + timedelta(weeks=week) for week in range(24)]
EVENING = time(21, 30)
LATER = datetime(2027, 4, 15, 16, 0, tzinfo=UTC)


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id), time_machine.travel(NOW, tick=False):
        yield build_clinic(cast)


def test_agenda_feed_and_documents_show_the_same_days_and_hour(clinic: Clinic) -> None:
    client = clinic.client()
    rows = weekly(clinic, client, day=DAYS[0], at=EVENING, count=len(DAYS))
    # In UTC the hour differs by the season, and each is on the day after: what is read wrongly shows.
    assert {row.starts_at.astimezone(UTC).hour for row in rows} == {1, 2}
    assert [row.starts_at.astimezone(UTC).date() - timedelta(days=1) for row in rows] == DAYS
    expected = [(day, EVENING) for day in DAYS]
    assert _on_agenda(clinic) == _in_feed(clinic) == expected
    check_series()

    biller = _bill_all(clinic, rows)
    assert _on_agenda(clinic) == expected, "billing moves nothing"
    period = Period(DAYS[0], DAYS[-1])
    invoices = list(Invoice.objects.order_by("number").values_list("pk", flat=True))
    (superbill,) = superbill_papers(biller, [client], period=period)
    (statement,) = statement_papers(biller, [client], StatementChoices(period, Basis.SERVICE, biller.today))
    assert _days(invoice_papers(biller, invoices)) == _days([superbill]) == _days([statement]) == DAYS
    text = " ".join(page_texts(render_pdf([statement]).pdf))
    charged = re.findall(r"(\d\d/\d\d/\d{4}) 9T001 Talk", text)
    assert charged == [us_date(day) for day in DAYS]


def _on_agenda(clinic: Clinic) -> list[tuple[date, time]]:
    """Day and hour of each appointment as the Agenda has it, and its page on days of each season."""
    found = []
    browser = Browser()
    browser.force_login(User.objects.get(pk=clinic.cast.alice.user_id))
    for day in DAYS:
        (seen,) = queries.agenda_day(clinic.owner, day)
        found.append((seen.starts_at.date(), seen.starts_at.time()))
    for day in DAYS[::6]:
        page = browser.get("/alder/agenda/", {"day": day.isoformat(), "staff": ""}).content.decode()
        assert us_date(day) in page and ">9:30 PM</a>" in page
    return found


def _in_feed(clinic: Clinic) -> list[tuple[date, time]]:
    token = make_feed(clinic.cast.actor(clinic.cast.carol))
    file = Browser().get(f"/alder/calendar/feeds/{token}.ics").content
    moments = [event.decoded("dtstart") for event in icalendar.Calendar.from_ical(file).walk("VEVENT")]
    here = [moment.astimezone(NEW_YORK) for moment in sorted(moments)]
    return [(moment.date(), moment.time()) for moment in here]


def _bill_all(clinic: Clinic, rows: Collection[Appointment]) -> Actor:
    """Every visit by a click of its own, when all are past; returns who did."""
    CptLicense.objects.create(
        staff_member_id=clinic.cast.carol.staff_member_id, year=2027, fee_cents=2150, assigned_at=LATER, assigned_by="A"
    )
    biller = clinic.cast.actor(clinic.cast.bob, now=LATER)
    for row in rows:
        assert bill_visit(biller, visit_id=visit_of(row).pk).created
    return biller


def _days(papers: Collection[Paper]) -> list[date]:
    """The dates in the rows of charges, in order."""
    cells = [
        [part for cell in row for part in (cell.text, cell.small)]
        for paper in papers
        for block in paper.blocks
        if isinstance(block, Grid)
        for row in block.rows
    ]
    charges = [row for row in cells if any("Talk" in text for text in row)]
    return [datetime.strptime(row[0], "%m/%d/%Y").date() for row in charges]
