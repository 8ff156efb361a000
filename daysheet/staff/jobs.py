"""The clock of licences: New Year comes to each practice in its own time zone (L2)."""

from __future__ import annotations

import logging
from datetime import datetime

from procrastinate.contrib.django import app

from daysheet.kit.dates import utc_now
from daysheet.practices.models import Practice

from .actors import practice_facts
from .licenses.actions import renew_licenses

_log = logging.getLogger("daysheet.staff")


# Every quarter of an hour: no time zone begins its day at another minute.
@app.periodic(cron="*/15 * * * *")
@app.task(name="daysheet.renew_licenses", queue="default", pass_context=False)
def renew_licenses_task(timestamp: int) -> None:
    """Renew wherever it is due. Late and repeated calls do no harm."""
    renew_licenses_everywhere(utc_now())


def renew_licenses_everywhere(now: datetime) -> dict[str, int]:
    """Carry out what is due in every practice; returns how many licences each address got. One practice's failure
    does not stop the others: it is logged and tried again at the next call."""
    renewed: dict[str, int] = {}
    for practice in Practice.objects.order_by("pk"):
        try:
            renewed[practice.slug] = renew_licenses(practice_facts(practice), now)
        except Exception:
            _log.exception("the license renewal of practice %s failed", practice.pk)
    return renewed
