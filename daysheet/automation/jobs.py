"""The clock of automation: every practice has its night in its own time zone."""

from __future__ import annotations

from datetime import date, datetime

from procrastinate.contrib.django import app

from daysheet.jobs.everywhere import in_every_practice
from daysheet.kit.dates import utc_now

from .nights import tend


# Every quarter of an hour: no time zone begins its hours at another minute, and a machine that slept makes up soon.
@app.periodic(cron="5-59/15 * * * *")
@app.task(name="daysheet.automation", queue="default", pass_context=False)
def automation_task(timestamp: int) -> None:
    """Begin or help on the night wherever one is due. Late and repeated calls do no harm."""
    automate_everywhere(utc_now())


def automate_everywhere(now: datetime) -> dict[str, list[date]]:
    """The nights begun, by the practice's address; practices without one are left out."""
    return in_every_practice(lambda practice: tend(practice, now) or None, doing="the automation")
