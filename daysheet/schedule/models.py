"""Series, appointments, one visit per client, and the services of each visit.

`service_on` is the date of service in practice time. It is fixed when the appointment is saved, copied to the visit and
its services (for the unbilled index) by `occurrences.copy_dates`; `daysheet verify` compares the copies.
"""

from __future__ import annotations

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models

from daysheet.clients.models import Client
from daysheet.database.models import TenantForeignKey, TenantModel
from daysheet.practices.models import Location
from daysheet.services.models import ServiceType
from daysheet.staff.models import StaffMember

from .series_rules import LAST_WEEK, MOST_DATES, MOST_DAYS, MOST_EVERY, Frequency

_NO_ANCHOR = models.Q(month_day__isnull=True, month_week__isnull=True)
# A comparison with NULL is neither true nor false, and a CHECK lets it pass: what must be there is asked for by name.
_MONTH_DAY = models.Q(month_day__isnull=False, month_day__range=(1, 31), month_week__isnull=True)
_MONTH_WEEK = models.Q(month_week__isnull=False, month_week__range=(1, LAST_WEEK), month_day__isnull=True)
_ANY_WEEKDAY = models.Q(weekdays__range=(1, 127))
_ONE_WEEKDAY = models.Q(weekdays__in=[1, 2, 4, 8, 16, 32, 64])


class Series(TenantModel):
    """How appointments repeat (S3), in wall-clock practice time, and what slot each of them has. A fact: never changed.

    All its appointments are made with it; each points here with the date of the rule it stands for. An edit of *this
    and following* adds another row, which those appointments then point to; the rows of one series have the same root.
    """

    #: The row this series began with; null in that row itself.
    root = TenantForeignKey("self", null=True)
    frequency = models.CharField(max_length=16, choices=[(each.value, each.value) for each in Frequency])
    every = models.PositiveSmallIntegerField(default=1)
    starts_on = models.DateField()
    until_on = models.DateField(null=True)
    count = models.PositiveSmallIntegerField(null=True)
    #: One bit for each weekday, Monday's is 1.
    weekdays = models.PositiveSmallIntegerField(default=0)
    #: The weekday that a week of "every n weeks" begins with; Monday is 0.
    week_starts = models.PositiveSmallIntegerField(default=6)
    month_day = models.PositiveSmallIntegerField(null=True)
    #: 1 to 4, or 5 for the last such weekday of the month.
    month_week = models.PositiveSmallIntegerField(null=True)
    at = models.TimeField()
    minutes = models.PositiveSmallIntegerField()
    staff_member = TenantForeignKey(StaffMember, indexed=False)
    location = TenantForeignKey(Location, indexed=False)
    place_of_service = models.CharField(max_length=2, blank=True)
    title = models.CharField(max_length=80, blank=True)
    group_limit = models.PositiveSmallIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(every__range=(1, MOST_EVERY)), name="series_every_sane"),
            models.CheckConstraint(
                condition=models.Q(until_on__isnull=True, count__isnull=False, count__range=(1, MOST_DATES))
                | models.Q(
                    count__isnull=True,
                    until_on__isnull=False,
                    until_on__gte=models.F("starts_on"),
                    until_on__lte=models.F("starts_on") + timedelta(days=MOST_DAYS),
                ),
                name="series_ends_within_bounds",
            ),
            models.CheckConstraint(
                condition=(models.Q(frequency=Frequency.DAILY.value, weekdays=0) & _NO_ANCHOR)
                | (models.Q(frequency=Frequency.WEEKLY.value) & _ANY_WEEKDAY & _NO_ANCHOR)
                | (models.Q(frequency=Frequency.MONTHLY_DAY.value, weekdays=0) & _MONTH_DAY)
                | (models.Q(frequency=Frequency.MONTHLY_WEEKDAY.value) & _ONE_WEEKDAY & _MONTH_WEEK),
                name="series_rule_complete",
            ),
            models.CheckConstraint(condition=models.Q(week_starts__lte=6), name="series_week_starts_sane"),
            models.CheckConstraint(condition=models.Q(minutes__range=(1, 1440)), name="series_minutes_sane"),
            models.CheckConstraint(
                condition=models.Q(place_of_service__regex=r"^([0-9]{2})?$"), name="series_pos_digits"
            ),
            models.CheckConstraint(
                condition=models.Q(group_limit__isnull=True) | models.Q(group_limit__gte=2),
                name="series_group_limit_sane",
            ),
        ]


class Appointment(TenantModel):
    """A slot: start, end, staff, location, one or many clients. `version` counts its changes: who would change it says
    which version they were shown, so that nobody overwrites what another did meanwhile."""

    service_on = models.DateField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    staff_member = TenantForeignKey(StaffMember, indexed=False)
    location = TenantForeignKey(Location)
    #: Empty: the location's. 02 and 10 are telehealth.
    place_of_service = models.CharField(max_length=2, blank=True)
    is_group = models.BooleanField(default=False)
    title = models.CharField(max_length=80, blank=True)
    #: How many clients a group is meant for; more are warned of, never refused (S4).
    group_limit = models.PositiveSmallIntegerField(null=True)
    series = TenantForeignKey(Series, null=True, indexed=False)
    #: The date of its series' rule that this appointment stands for, wherever it has been moved on its own.
    occurrence_on = models.DateField(null=True)
    #: Since when it differs from its series: changed on its own, or left as it was when the series changed.
    apart_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1, db_default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    #: When its facts last changed after it was made; calendars that subscribe are told (LAST-MODIFIED, SEQUENCE).
    changed_at = models.DateTimeField(null=True)
    external_id = models.CharField(max_length=100, null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="appointment_ends_after"
            ),
            models.CheckConstraint(
                condition=models.Q(place_of_service__regex=r"^([0-9]{2})?$"), name="appointment_pos_digits"
            ),
            models.UniqueConstraint(fields=["practice", "external_id"], name="appointment_external_id_once"),
            models.CheckConstraint(
                condition=models.Q(group_limit__isnull=True) | models.Q(group_limit__gte=2),
                name="appointment_group_limit_sane",
            ),
            # Either no series at all, or a date of one; on that date unless it is known to stand apart.
            models.CheckConstraint(
                condition=models.Q(series__isnull=True, occurrence_on__isnull=True, apart_at__isnull=True)
                | models.Q(series__isnull=False, occurrence_on__isnull=False, apart_at__isnull=False)
                | models.Q(
                    series__isnull=False,
                    occurrence_on__isnull=False,
                    occurrence_on=models.F("service_on"),
                    apart_at__isnull=True,
                ),
                name="appointment_on_its_series_date",
            ),
            # A date of a series has one appointment, so that a canceled or moved one is never made again.
            models.UniqueConstraint(
                fields=["practice", "series", "occurrence_on"],
                condition=models.Q(series__isnull=False),
                name="appointment_series_date_once",
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "service_on", "starts_at"], name="appointment_day_ix"),
            models.Index(fields=["practice", "staff_member", "service_on"], name="appointment_staff_ix"),
        ]


class VisitStatus(models.TextChoices):
    """S1, with the exact labels."""

    UPCOMING = "upcoming", "Upcoming"
    KEPT = "kept", "Kept"
    NO_SHOW = "no_show", "No Show"
    LATE_CANCEL = "late_cancel", "Late Cancel"
    CANCELED = "canceled", "Canceled"
    RESCHEDULED = "rescheduled", "Rescheduled"


class Visit(TenantModel):
    """One client's part of one appointment."""

    class InitiatedBy(models.TextChoices):
        CLIENT = "client", "Client"
        PRACTICE = "practice", "Practice"

    appointment = TenantForeignKey(Appointment, indexed=False)
    client = TenantForeignKey(Client, indexed=False)
    service_on = models.DateField()
    status = models.CharField(max_length=12, choices=VisitStatus.choices, default=VisitStatus.UPCOMING)
    #: Who initiated the newest change of status.
    initiated_by = models.CharField(max_length=10, choices=InitiatedBy.choices, blank=True)
    fee_waived_reason = models.CharField(max_length=200, blank=True)
    status_changed_at = models.DateTimeField(null=True)
    external_id = models.CharField(max_length=100, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "appointment", "client"], name="visit_client_once"),
            models.UniqueConstraint(fields=["practice", "external_id"], name="visit_external_id_once"),
            models.CheckConstraint(condition=models.Q(status__in=VisitStatus.values), name="visit_status_known"),
            models.CheckConstraint(
                condition=models.Q(initiated_by__in=["", "client", "practice"]), name="visit_initiator_known"
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "client", "service_on"], name="visit_client_ix"),
            models.Index(fields=["practice", "service_on"], name="visit_day_ix"),
        ]


class VisitService(TenantModel):
    """One service type of one visit: the thing that is billed once.

    `line_id` is the claim: null means no live invoice line. The door moves it by conditional UPDATE before it writes
    the line; a partial unique index on the line is the guarantee, and `verify` compares the two (B7).
    `is_suspended`: not to be billed as things stand (the visit was canceled, moved or missed); the row is kept.
    """

    visit = TenantForeignKey(Visit, indexed=False)
    service_type = TenantForeignKey(ServiceType)
    position = models.PositiveSmallIntegerField(default=1)
    service_on = models.DateField()
    #: A price of its own, per unit; null: priced by B10.
    rate_cents = models.BigIntegerField(null=True)
    #: Units of its own; null: by the service's unit rule and the appointment's minutes.
    units = models.PositiveSmallIntegerField(null=True)
    #: Null: the service type's modifiers.
    modifiers = ArrayField(models.CharField(max_length=2), null=True)
    is_fee = models.BooleanField(default=False)
    is_suspended = models.BooleanField(default=False)
    #: Taken off the visit: kept on record because an invoice, even a void one, may name it. Always suspended.
    removed_at = models.DateTimeField(null=True)
    line_id = models.UUIDField(null=True)
    external_id = models.CharField(max_length=100, null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(rate_cents__isnull=True) | models.Q(rate_cents__gte=0),
                name="visit_service_rate_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(units__isnull=True) | models.Q(units__gte=1), name="visit_service_units_positive"
            ),
            models.UniqueConstraint(fields=["practice", "external_id"], name="visit_service_external_id_once"),
            models.CheckConstraint(
                condition=models.Q(removed_at__isnull=True) | models.Q(is_suspended=True, line_id__isnull=True),
                name="visit_service_removed_is_suspended",
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "visit"], name="visit_service_visit_ix"),
            # The unbilled question, in milliseconds at a million visits (architecture.md, section 5).
            models.Index(
                fields=["practice", "service_on", "visit"],
                condition=models.Q(line_id__isnull=True, is_suspended=False),
                name="visit_service_unbilled_ix",
            ),
        ]


class CancellationPolicy(TenantModel):
    """What the practice asks of a cancellation, and how its fees are charged (S1). One row, or none: ask, no notice.

    Which service type each fee is, the service types themselves say (services.ServiceType.is_…_fee).
    """

    class Charge(models.TextChoices):
        ASK = "ask", "Ask each time"
        AUTOMATIC = "automatic", "Charge unless waived"

    #: A client's cancellation with less notice than this is a Late Cancel; 0: never.
    notice_hours = models.PositiveSmallIntegerField(default=0)
    no_show_charge = models.CharField(max_length=10, choices=Charge.choices, default=Charge.ASK)
    late_cancel_charge = models.CharField(max_length=10, choices=Charge.choices, default=Charge.ASK)
    canceled_charge = models.CharField(max_length=10, choices=Charge.choices, default=Charge.ASK)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice"], name="cancellation_policy_once"),
            models.CheckConstraint(condition=models.Q(notice_hours__lte=720), name="cancellation_notice_sane"),
            models.CheckConstraint(
                condition=models.Q(no_show_charge__in=["ask", "automatic"])
                & models.Q(late_cancel_charge__in=["ask", "automatic"])
                & models.Q(canceled_charge__in=["ask", "automatic"]),
                name="cancellation_charge_known",
            ),
        ]


class CalendarFeed(TenantModel):
    """A secret address under which a provider's schedule is read by other calendars. Only a hash of the secret is kept;
    the row stays when it is stopped."""

    staff_member = TenantForeignKey(StaffMember)
    token_hash = models.CharField(max_length=64)
    #: Names no client: at most first letters.
    shows_initials = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "token_hash"], name="calendar_feed_token_once"),
            models.UniqueConstraint(
                fields=["practice", "staff_member"],
                condition=models.Q(revoked_at__isnull=True),
                name="calendar_feed_one_live",
            ),
            models.CheckConstraint(
                condition=models.Q(token_hash__regex=r"^[0-9a-f]{64}$"),  # noqa: S106  (a pattern, no secret)
                name="calendar_feed_hash_not_secret",
            ),
        ]
