"""The morning summary: a night's counts and totals and a link, by e-mail, to people who may read them.

No client's name and nothing of health (D3). One a night and person: the night is the messages' run, and a run has at
most one message for a person.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max
from django.urls import reverse

from daysheet.kit.dates import us_date
from daysheet.kit.money import Money
from daysheet.mail.actions import Draft, Recipient, is_address, queue_messages
from daysheet.mail.registry import Kind
from daysheet.practices.actor import Actor
from daysheet.staff.models import CptLicense

from .models import Night, SummaryRecipient
from .queries.overview import NightRow, night_rows
from .recipients import may_get_summary

KIND = Kind("automation_summary", "Morning summary", "Summary of last night")


def send_summary(actor: Actor, night: Night) -> int:
    """Queue the summary for everybody chosen who may still get it, in the transaction that closes the night. Returns
    how many. Called again it changes nothing."""
    chosen = set(SummaryRecipient.objects.filter(plan=night.plan_id).values_list("staff_member_id", flat=True))
    people = [person for person in may_get_summary() if person.pk in chosen and is_address(person.email)]
    if not people:
        return 0
    body = _body(actor, night, night_rows(actor, [night])[0])
    drafts = [Draft(Recipient(person.pk, person.name, person.email), body) for person in people]
    return len(queue_messages(actor, kind=KIND.name, run_id=night.pk, drafts=drafts))


def _body(actor: Actor, night: Night, row: NightRow) -> str:
    total = f", {Money(row.live_cents)} in total" if row.live_cents else ""
    late = f" (made up for on {us_date(row.made_up_on)})" if row.made_up_on else ""
    lines = [f"{actor.practice.name}, night of {us_date(row.night_on)}{late}", ""]
    if night.has_stopped:
        lines += ["The night was closed before its end. Please look at it.", ""]
    lines += [
        f"Invoices created: {row.created_count:,}{total}",
        f"Refused: {row.refused_count:,}",
        f"Left to people: {row.left_out_count:,}",
        f"Claims queued: {row.claim_count:,}",
    ]
    renewed = _renewed(night)
    if renewed:
        lines.append(f"CPT licenses renewed: {renewed:,}")
    return "\n".join([*lines, "", _where(actor, night), "", _WHY])


def _where(actor: Actor, night: Night) -> str:
    if not night.plan.link_base:
        return "See it in Daysheet, under Organization, Automation."
    path = reverse("automation:night", kwargs={"practice": actor.practice.slug, "night": night.pk})
    return f"See it, and mend what was refused:\n{night.plan.link_base}{path}"


_WHY = "An administrator chose you for this summary under Organization, Automation."


def _renewed(night: Night) -> int:
    """Licences that renewed by themselves since the night before (L2)."""
    since = _before(night)
    renewed = CptLicense.objects.filter(is_renewal=True, assigned_at__lte=night.started_at)
    return renewed.filter(assigned_at__gt=since).count() if since else 0


def _before(night: Night) -> datetime | None:
    earlier = Night.objects.filter(night_on__lt=night.night_on)
    latest: datetime | None = earlier.aggregate(latest=Max("started_at"))["latest"]
    return latest
