"""The clock of licences: New Year comes to each practice in its own time zone (L2)."""

from __future__ import annotations

from datetime import datetime

from procrastinate.contrib.django import app

from daysheet.jobs.everywhere import in_every_practice
from daysheet.kit.dates import utc_now

from .licenses.actions import renew_licenses


# Every quarter of an hour: no time zone begins its day at another minute.
@app.periodic(cron="*/15 * * * *")
@app.task(name="daysheet.renew_licenses", queue="default", pass_context=False)
def renew_licenses_task(timestamp: int) -> None:
    """Renew wherever it is due. Late and repeated calls do no harm."""
    renew_licenses_everywhere(utc_now())


def renew_licenses_everywhere(now: datetime) -> dict[str, int]:
    """Carry out what is due in every practice; returns how many licences each address got."""
    return in_every_practice(lambda practice: renew_licenses(practice, now), doing="the license renewal")
