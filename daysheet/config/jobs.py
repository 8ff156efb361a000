"""The clock of what happens every night wherever the practices are: the verification, the planner's statistics."""

from __future__ import annotations

from procrastinate.contrib.django import app

from daysheet.database.statistics import count_again
from daysheet.kit.dates import utc_now

from .nightly import verify_where_due


# Every hour: it is night somewhere, and a machine that was down makes up for it soon.
@app.periodic(cron="20 * * * *")
@app.task(name="daysheet.verify", queue="default", pass_context=False)
def verify_task(timestamp: int) -> None:
    """Verify wherever the night has come. Late and repeated calls do no harm."""
    verify_where_due(utc_now())


@app.periodic(cron="50 2 * * *")
@app.task(name="daysheet.count_again", queue="default", pass_context=False)
def count_again_task(timestamp: int) -> None:
    """So that a practice that is new beside others is known to the planner before a day's rows have become many."""
    count_again()
