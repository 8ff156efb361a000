"""Appointments, one visit per client, and the services of each visit.

`service_on` is the date of service in practice time. It is fixed when the appointment is saved, copied to the visit and
its services (for the unbilled index), and moved only by `move_appointment`; `daysheet verify` compares the copies.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from daysheet.clients.models import Client
from daysheet.database.models import TenantForeignKey, TenantModel
from daysheet.practices.models import Location
from daysheet.services.models import ServiceType
from daysheet.staff.models import StaffMember


class Appointment(TenantModel):
    """A slot: start, end, staff, location, one or many clients."""

    service_on = models.DateField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    staff_member = TenantForeignKey(StaffMember, indexed=False)
    location = TenantForeignKey(Location)
    #: Empty: the location's. 02 and 10 are telehealth.
    place_of_service = models.CharField(max_length=2, blank=True)
    is_group = models.BooleanField(default=False)
    title = models.CharField(max_length=80, blank=True)
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
