"""How a practice's documents look, and which were made of whom.

Of a document that was made its content is kept, not its bytes: what it said, to the letter, from which the same file is
set again (docs/adr). A logo stays as long as a document that bears it.
"""

from __future__ import annotations

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models

from daysheet.clients.models import Client
from daysheet.database.models import TenantForeignKey, TenantModel
from daysheet.invoicing.models import Invoice
from daysheet.payments.models import Payment
from daysheet.services.models import ServiceType

from .papers import Kind

#: Of a logo as it is kept, after it was drawn anew.
MOST_LOGO_BYTES = 400_000


class DocumentSettings(TenantModel):
    """How documents look: one row of a practice, made with the first change."""

    class PayTo(models.TextChoices):
        PRACTICE = "practice", "The practice's address"
        LOCATION = "location", "The location's address"

    pay_to = models.CharField(max_length=10, choices=PayTo.choices, default=PayTo.PRACTICE)
    #: `#rrggbb`; dark enough to be read on white (WCAG AA), which the form checks.
    brand_colour = models.CharField(max_length=7, default="#1f4d3a")
    #: Printed at the end of invoices and statements.
    message = models.CharField(max_length=400, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice"], name="document_settings_one"),
            models.CheckConstraint(
                condition=models.Q(pay_to__in=["practice", "location"]), name="document_settings_pay_to_known"
            ),
            models.CheckConstraint(
                condition=models.Q(brand_colour__regex=r"^#[0-9a-f]{6}$"), name="document_settings_colour_shape"
            ),
        ]


class Logo(TenantModel):
    """A practice's logo, drawn anew as PNG when it was uploaded. The one not removed is printed."""

    png = models.BinaryField()
    alt = models.CharField(max_length=120)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    uploaded_at = models.DateTimeField()
    uploaded_by_name = models.CharField(max_length=120)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice"], condition=models.Q(removed_at__isnull=True), name="logo_one_printed"
            ),
            models.CheckConstraint(condition=~models.Q(alt=""), name="logo_has_alt"),
            models.CheckConstraint(
                condition=models.Q(width__gte=1, width__lte=1200, height__gte=1, height__lte=600), name="logo_size_sane"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    models.lookups.LessThanOrEqual(
                        models.Func(models.F("png"), function="octet_length", output_field=models.IntegerField()),
                        MOST_LOGO_BYTES,
                    )
                ),
                name="logo_bytes_bounded",
            ),
        ]


class MadeDocument(TenantModel):
    """That a document of a client was made, and what it said. Insert and select only.

    `content` is the paper (papers.py) as JSON, its letterhead's logo by id.
    """

    #: The request or run that made it, and its place in it: the same request makes nothing twice.
    made_in = models.UUIDField()
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.label) for kind in Kind])
    client = TenantForeignKey(Client, indexed=False)
    #: Of which invoice or payment, where it is of one.
    invoice = TenantForeignKey(Invoice, null=True)
    payment = TenantForeignKey(Payment, null=True)
    estimate = TenantForeignKey("Estimate", null=True)
    #: The days it covers, both included, where it covers a period.
    first_on = models.DateField(null=True)
    last_on = models.DateField(null=True)
    title = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    made_by_name = models.CharField(max_length=120)
    content = models.JSONField()
    logo = TenantForeignKey(Logo, null=True)
    #: Of the content: equal for documents that say the same.
    sha256 = models.CharField(max_length=64)
    page_count = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["practice", "client", "-made_at"], name="made_document_client_ix")]
        constraints = [
            models.UniqueConstraint(fields=["practice", "made_in", "position"], name="made_document_once"),
            models.CheckConstraint(condition=models.Q(kind__in=[kind.value for kind in Kind]), name="made_kind_known"),
            models.CheckConstraint(condition=models.Q(sha256__regex=r"^[0-9a-f]{64}$"), name="made_sha256_shape"),
            models.CheckConstraint(condition=models.Q(page_count__gte=1), name="made_has_pages"),
            models.CheckConstraint(
                condition=models.Q(first_on__isnull=True, last_on__isnull=True)
                | models.Q(first_on__isnull=False, last_on__gte=models.F("first_on")),
                name="made_period_in_order",
            ),
            models.CheckConstraint(
                # An invoice and a receipt are of exactly that; a statement is of a period.
                condition=(~models.Q(kind="invoice") | models.Q(invoice__isnull=False))
                & (~models.Q(kind="receipt") | models.Q(payment__isnull=False))
                & (~models.Q(kind="statement") | models.Q(first_on__isnull=False))
                & (~models.Q(kind="estimate") | models.Q(estimate__isnull=False)),
                name="made_of_its_subject",
            ),
        ]


class EstimateRequest(TenantModel):
    """That a client who pays themselves asked what it will cost: a Good Faith Estimate is owed (45 CFR 149.610(b)).
    Insert and select only. The next estimate that is given to the client answers it."""

    client = TenantForeignKey(Client)
    requested_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by_name = models.CharField(max_length=120)


class Estimate(TenantModel):
    """A Good Faith Estimate as it was given to a client: everything on it is copied, nothing of it ever changes. A
    newer one supersedes it. Insert and select only."""

    client = TenantForeignKey(Client)
    given_on = models.DateField()
    created_at = models.DateTimeField()
    created_by_name = models.CharField(max_length=120)
    supersedes = TenantForeignKey("self", null=True, indexed=False)
    #: Dates of service that it covers, both included; recurring services for at most twelve months.
    first_on = models.DateField()
    last_on = models.DateField()
    #: The day the primary service is scheduled for, where it is.
    scheduled_on = models.DateField(null=True)
    #: The primary service, in words a client understands.
    description = models.CharField(max_length=400)
    #: Of recurring services: how often and how many, in words.
    recurrence = models.CharField(max_length=200, blank=True)
    #: What will have to be scheduled separately.
    separately = models.CharField(max_length=400, blank=True)
    client_name = models.CharField(max_length=190)
    client_birth_on = models.DateField(null=True)
    client_address = models.TextField(blank=True)
    practice_name = models.CharField(max_length=120)
    practice_npi = models.CharField(max_length=10, blank=True)
    practice_tax_id = models.CharField(max_length=10, blank=True)
    location_name = models.CharField(max_length=80)
    location_address = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["practice", "client", "-given_on"], name="estimate_client_ix")]
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "supersedes"],
                condition=models.Q(supersedes__isnull=False),
                name="estimate_superseded_once",
            ),
            models.CheckConstraint(
                condition=models.Q(last_on__gte=models.F("first_on"))
                & models.Q(last_on__lt=models.F("first_on") + timedelta(days=366)),
                name="estimate_twelve_months",
            ),
            models.CheckConstraint(condition=~models.Q(description=""), name="estimate_has_description"),
        ]


class EstimateItem(TenantModel):
    """One service that is reasonably expected, with its expected charge. Insert and select only."""

    estimate = TenantForeignKey(Estimate, indexed=False)
    position = models.PositiveSmallIntegerField()
    service_type = TenantForeignKey(ServiceType, null=True, indexed=False)
    code = models.CharField(max_length=20, blank=True)
    name = models.CharField(max_length=120)
    diagnosis_codes = ArrayField(models.CharField(max_length=8), default=list)
    rendering_name = models.CharField(max_length=170)
    rendering_npi = models.CharField(max_length=10, blank=True)
    #: How many units are expected over the whole period.
    quantity = models.PositiveIntegerField()
    unit_cents = models.BigIntegerField()
    expected_cents = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "estimate", "position"], name="estimate_item_once"),
            models.CheckConstraint(
                condition=models.Q(
                    quantity__gte=1, unit_cents__gte=0, expected_cents=models.F("unit_cents") * models.F("quantity")
                ),
                name="estimate_item_adds_up",
            ),
        ]
