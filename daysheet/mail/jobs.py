"""Every minute: messages that are due, and those that a lost worker left, get the job that sends them."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db.models import Q
from procrastinate.contrib.django import app

from daysheet.database.scope import practice_transaction
from daysheet.kit.dates import utc_now
from daysheet.practices.actor import system_actor
from daysheet.practices.models import Practice
from daysheet.staff.actors import practice_facts

from .actions import wake_delivery
from .models import Message

_log = logging.getLogger("daysheet.mail")


@app.periodic(cron="* * * * *")
@app.task(name="daysheet.wake_mail", queue="default", pass_context=False)
def wake_mail_task(timestamp: int) -> None:
    """The queue's entry point."""
    wake_where_due(utc_now())


def wake_where_due(now: datetime) -> int:
    """Returns how many practices have something to send. One practice cannot stop the others."""
    due = Q(state=Message.State.WAITING, due_at__lte=now) | Q(state=Message.State.SENDING)
    woken = 0
    for practice in Practice.objects.order_by("pk"):
        facts = practice_facts(practice)
        try:
            with practice_transaction(facts.id):
                if Message.objects.filter(due).exists():
                    wake_delivery(system_actor(facts, now, name="Daysheet"))
                    woken += 1
        except Exception as error:
            _log.error("practice %s: mail could not be woken: %s", facts.id, type(error).__name__)
    return woken
