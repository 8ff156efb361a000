"""The clock of the nightly verification."""

from __future__ import annotations

from procrastinate.contrib.django import app

from daysheet.kit.dates import utc_now

from .nightly import verify_where_due


# Every hour: it is night somewhere, and a machine that was down makes up for it soon.
@app.periodic(cron="20 * * * *")
@app.task(name="daysheet.verify", queue="default", pass_context=False)
def verify_task(timestamp: int) -> None:
    """Verify wherever the night has come. Late and repeated calls do no harm."""
    verify_where_due(utc_now())
