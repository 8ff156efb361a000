"""The clock of scheduled backups."""

from __future__ import annotations

from django.conf import settings
from procrastinate.contrib.django import app

from daysheet.kit.dates import utc_now

from .restoring import known_migrations
from .scheduled import back_up_where_due


# Every hour: one that was missed because the machine was down is made up for soon.
@app.periodic(cron="50 * * * *")
@app.task(name="daysheet.backup", queue="default", pass_context=False)
def backup_task(timestamp: int) -> None:
    """Back up where the configuration names a folder and the newest backup is a day old."""
    if settings.BACKUP_SCHEDULE is not None:
        back_up_where_due(
            settings.BACKUP_SCHEDULE, settings.BACKUP_PLACE, utc_now(), known_migrations=known_migrations()
        )
