"""Every hour: files of runs that are old enough go."""

from __future__ import annotations

import logging
from datetime import datetime

from procrastinate.contrib.django import app

from daysheet.database.scope import practice_transaction
from daysheet.kit.dates import utc_now
from daysheet.practices.models import Practice

from .files import KEPT_FOR, remove_file, remove_strays
from .models import MailingFile

_log = logging.getLogger("daysheet.mailings")


@app.periodic(cron="35 * * * *")
@app.task(name="daysheet.remove_mailing_files", queue="default", pass_context=False)
def remove_files_task(timestamp: int) -> None:
    """The queue's entry point."""
    remove_old_files(utc_now())


def remove_old_files(now: datetime) -> int:
    """Returns how many were removed. Each can be made again from the documents, which stay. One practice cannot stop
    the others."""
    removed = 0
    for practice_id in Practice.objects.order_by("pk").values_list("pk", flat=True):
        try:
            removed += _remove_of(practice_id, now)
        except Exception as error:
            _log.error("practice %s: old files could not be removed: %s", practice_id, type(error).__name__)
    return removed


def _remove_of(practice_id: int, now: datetime) -> int:
    with practice_transaction(practice_id):
        old = MailingFile.objects.filter(removed_at=None, made_at__lt=now - KEPT_FOR)
        keys = dict(old.values_list("pk", "key"))
        MailingFile.objects.filter(pk__in=keys).update(removed_at=now)
        known = set(MailingFile.objects.filter(removed_at=None).values_list("key", flat=True))
    for key in keys.values():
        remove_file(practice_id, key)
    remove_strays(practice_id, known, now)
    return len(keys)
