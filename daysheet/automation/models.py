"""The nightly automation (B12): how it is set, what it leaves to people, and what each night did.

Settings are versions and rules end: nothing is edited, so a night keeps the settings and rules it ran under.
Invariant: a practice has one row a night (`automation_night_once`), written in the transaction that decides all of the
night's work; whoever comes second finds it there and does nothing.
"""

from __future__ import annotations

from django.db import models

from daysheet.clients.models import Client, Payer
from daysheet.database.models import TenantForeignKey, TenantModel
from daysheet.invoicing.models import Batch, Invoice
from daysheet.schedule.models import Visit
from daysheet.services.models import ServiceType
from daysheet.staff.models import StaffMember


class AutomationPlan(TenantModel):
    """One version of the settings; the highest is in force. Insert and select only."""

    version = models.PositiveIntegerField()
    made_at = models.DateTimeField()
    made_by_name = models.CharField(max_length=120)
    creates_invoices = models.BooleanField()
    queues_claims = models.BooleanField()
    #: Dates of service, and for claims invoices, before this day are left to people.
    starts_on = models.DateField()
    #: How many days back a night looks for what was not ready the nights before.
    look_back_days = models.PositiveSmallIntegerField()
    grouping = models.CharField(max_length=10, choices=Batch.Grouping.choices)
    #: The first night that is made up for, should the machine sleep through it.
    first_night_on = models.DateField()
    #: Where the settings were saved, such as https://billing.example.org: what links in summaries begin with.
    link_base = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "version"], name="automation_plan_version_once"),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="automation_plan_version_positive"),
            models.CheckConstraint(
                condition=models.Q(look_back_days__gte=1, look_back_days__lte=60), name="automation_plan_look_back_sane"
            ),
            models.CheckConstraint(
                condition=models.Q(grouping__in=["client", "date"]), name="automation_plan_grouping_known"
            ),
            models.CheckConstraint(
                condition=models.Q(first_night_on__gt=models.F("starts_on")), name="automation_plan_night_after_start"
            ),
            models.CheckConstraint(
                condition=models.Q(link_base__regex=r"^(https?://[^/[:space:]]+)?$"), name="automation_plan_link_shape"
            ),
        ]

    @property
    def is_on(self) -> bool:
        """Whether there is anything to do at night."""
        return self.creates_invoices or self.queues_claims


class SummaryRecipient(TenantModel):
    """A staff member who gets the morning summary under this version of the settings. Insert and select only."""

    plan = TenantForeignKey(AutomationPlan, indexed=False)
    staff_member = TenantForeignKey(StaffMember, indexed=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "plan", "staff_member"], name="automation_recipient_once")
        ]


class ExclusionRule(TenantModel):
    """What automation leaves to people, and why. Conditions that are given must all hold; one rule is enough. A rule is
    ended, never changed: nights name the rule they followed."""

    class Status(models.TextChoices):
        UPCOMING = "upcoming", "Upcoming"
        KEPT = "kept", "Kept"
        NO_SHOW = "no_show", "No Show"
        LATE_CANCEL = "late_cancel", "Late Cancel"

    made_at = models.DateTimeField()
    made_by_name = models.CharField(max_length=120)
    #: Why, in the practice's words: shown wherever the rule left something out.
    note = models.CharField(max_length=200)
    for_invoices = models.BooleanField()
    for_claims = models.BooleanField()
    payer = TenantForeignKey(Payer, null=True, indexed=False)
    staff_member = TenantForeignKey(StaffMember, null=True, indexed=False)
    service_type = TenantForeignKey(ServiceType, null=True, indexed=False)
    pays_by = models.CharField(max_length=10, choices=Client.PaysBy.choices, blank=True)
    status = models.CharField(max_length=12, choices=Status.choices, blank=True)
    #: Dates of service, both included; null: open at that end.
    from_on = models.DateField(null=True)
    to_on = models.DateField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by_name = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(note=""), name="exclusion_has_note"),
            models.CheckConstraint(
                condition=models.Q(for_invoices=True) | models.Q(for_claims=True), name="exclusion_for_something"
            ),
            models.CheckConstraint(
                # A rule without a condition would switch automation off in disguise.
                condition=models.Q(payer__isnull=False)
                | models.Q(staff_member__isnull=False)
                | models.Q(service_type__isnull=False)
                | ~models.Q(pays_by="")
                | ~models.Q(status="")
                | models.Q(from_on__isnull=False)
                | models.Q(to_on__isnull=False),
                name="exclusion_has_condition",
            ),
            models.CheckConstraint(
                condition=models.Q(pays_by__in=["", "self", "insurance"]), name="exclusion_pays_by_known"
            ),
            models.CheckConstraint(
                condition=models.Q(payer__isnull=True) | ~models.Q(pays_by="self"),
                name="exclusion_insurer_fits_pays_by",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["", "upcoming", "kept", "no_show", "late_cancel"]),
                name="exclusion_status_known",
            ),
            models.CheckConstraint(
                condition=models.Q(from_on__isnull=True)
                | models.Q(to_on__isnull=True)
                | models.Q(to_on__gte=models.F("from_on")),
                name="exclusion_range_in_order",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True, ended_by_name="")
                | (models.Q(ended_at__isnull=False) & ~models.Q(ended_by_name="")),
                name="exclusion_end_has_name",
            ),
        ]


class Night(TenantModel):
    """One night of one practice: decided as a whole when the row is written, then carried out by a batch and a job.

    `night_on` is the day it leads into. Only `finished_at` and `has_stopped` ever move.
    """

    night_on = models.DateField()
    plan = TenantForeignKey(AutomationPlan, indexed=False)
    started_at = models.DateTimeField()
    #: The dates of service looked at, and for claims the days of the invoices; both included.
    from_on = models.DateField()
    to_on = models.DateField()
    #: Null: nothing to bill, or creating invoices was off.
    batch = TenantForeignKey(Batch, null=True, indexed=False)
    finished_at = models.DateTimeField(null=True)
    #: Its jobs failed again and again, so it was closed unfinished and the next night goes on without it.
    has_stopped = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "night_on"], name="automation_night_once"),
            models.UniqueConstraint(
                fields=["practice", "batch"],
                condition=models.Q(batch__isnull=False),
                name="automation_night_batch_once",
            ),
            models.CheckConstraint(
                condition=models.Q(from_on__lte=models.F("to_on"), to_on__lt=models.F("night_on")),
                name="automation_night_range_before",
            ),
            models.CheckConstraint(
                condition=models.Q(has_stopped=False) | models.Q(finished_at__isnull=False),
                name="automation_night_stopped_is_over",
            ),
        ]


class LeftOut(TenantModel):
    """A date of service or an invoice that a night left to people, and why. Insert and select only."""

    class Kind(models.TextChoices):
        RULE = "rule", "Left out by a rule"
        VOIDED = "voided", "Billed before, and voided"
        NO_FEE = "no_fee", "No decision on the fee"
        NO_SERVICE = "no_service", "No service type"

    night = TenantForeignKey(Night)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    rule = TenantForeignKey(ExclusionRule, null=True, indexed=False)
    client = TenantForeignKey(Client, indexed=False)
    visit = TenantForeignKey(Visit, null=True, indexed=False)
    invoice = TenantForeignKey(Invoice, null=True, indexed=False)
    service_on = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["rule", "voided", "no_fee", "no_service"]), name="left_out_kind_known"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="rule", rule__isnull=False) | (~models.Q(kind="rule") & models.Q(rule=None)),
                name="left_out_rule_named",
            ),
            models.CheckConstraint(
                condition=models.Q(visit__isnull=False, invoice__isnull=True)
                | models.Q(visit__isnull=True, invoice__isnull=False, kind="rule"),
                name="left_out_visit_or_invoice",
            ),
        ]


class NightClaim(TenantModel):
    """An invoice whose claims a night queues. Done when `done_at` is set, in the transaction that queued them: that is
    what makes a killed night resumable."""

    night = TenantForeignKey(Night, indexed=False)
    invoice = TenantForeignKey(Invoice, indexed=False)
    done_at = models.DateTimeField(null=True)
    claim_count = models.PositiveSmallIntegerField(default=0)
    #: Why there are none: the Refusal's code and words.
    code = models.CharField(max_length=40, blank=True)
    message = models.CharField(max_length=400, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "night", "invoice"], name="night_claim_invoice_once"),
            models.CheckConstraint(
                condition=models.Q(done_at__isnull=False) | models.Q(claim_count=0, code=""),
                name="night_claim_result_when_done",
            ),
        ]
