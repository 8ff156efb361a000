"""How a practice's documents look, and which were made of whom.

Of a document that was made its content is kept, not its bytes: what it said, to the letter, from which the same file is
set again (docs/adr). A logo stays as long as a document that bears it.
"""

from __future__ import annotations

from django.db import models

from daysheet.clients.models import Client
from daysheet.database.models import TenantForeignKey, TenantModel
from daysheet.invoicing.models import Invoice
from daysheet.payments.models import Payment

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
                & (~models.Q(kind="statement") | models.Q(first_on__isnull=False)),
                name="made_of_its_subject",
            ),
        ]
