"""Invoices and lines are facts: inserted, never edited. A line ends and another follows; a void is a row (C1, C3).

Invariant: a visit service has at most one line with `ended_at` null, by partial unique index (B7).
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from daysheet.clients.models import Client, Coverage
from daysheet.database.models import TenantForeignKey, TenantModel
from daysheet.schedule.models import VisitService
from daysheet.services.models import ServiceType
from daysheet.staff.models import StaffMember


class InvoiceCounter(TenantModel):
    """The next invoice number of a practice: one row, taken last in the transaction (B8)."""

    next_number = models.BigIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice"], name="invoice_counter_one"),
            models.CheckConstraint(condition=models.Q(next_number__gte=1), name="invoice_counter_positive"),
        ]


class Batch(TenantModel):
    """A batch of invoices that somebody confirmed. What is to be done stands in its items, never in the job queue."""

    class Grouping(models.TextChoices):
        CLIENT = "client", "One invoice per client"
        DATE_OF_SERVICE = "date", "One invoice per date of service"

    created_at = models.DateTimeField()
    created_by_name = models.CharField(max_length=120)
    created_by_staff_member_id = models.UUIDField(null=True)
    from_on = models.DateField()
    to_on = models.DateField()
    grouping = models.CharField(max_length=10, choices=Grouping.choices, default=Grouping.CLIENT)
    #: The door its invoices name: Batch Invoicing, or Automation.
    door = models.CharField(max_length=10, default="batch")
    expected_count = models.PositiveIntegerField()
    expected_cents = models.BigIntegerField()
    #: The batch whose refused items this one tries again.
    retry_of = TenantForeignKey("self", null=True, indexed=False)
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    undone_by_name = models.CharField(max_length=120, blank=True)

    class Meta:
        indexes = [models.Index(fields=["practice", "-created_at"], name="batch_created_ix")]
        constraints = [
            models.CheckConstraint(condition=models.Q(grouping__in=["client", "date"]), name="batch_grouping_known"),
            models.CheckConstraint(condition=models.Q(door__in=["batch", "automation"]), name="batch_door_known"),
        ]


class BatchItem(TenantModel):
    """One client of a batch: the ticked visit services and their edits. Done when `done_at` is set, in the same
    transaction as the client's invoices: that is what makes a killed batch resumable (B5)."""

    batch = TenantForeignKey(Batch, indexed=False)
    client = TenantForeignKey(Client, indexed=False)
    visit_service_ids = ArrayField(models.UUIDField())
    #: {visit service id: {field: value}} as edited in the preview.
    edits = models.JSONField(default=dict)
    done_at = models.DateTimeField(null=True)
    created_count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "batch", "client"], name="batch_item_client_once"),
        ]
        indexes = [
            # What is left to do, in its order: else every chunk of a large batch looks through all of it.
            models.Index(
                fields=["practice", "batch", "id"],
                condition=models.Q(done_at__isnull=True),
                name="batch_item_to_do_ix",
            ),
        ]


class BatchProblem(TenantModel):
    """A date of service that a batch skipped or refused, with the reason."""

    class Kind(models.TextChoices):
        SKIPPED = "skipped", "Skipped"
        REFUSED = "refused", "Refused"

    batch = TenantForeignKey(Batch)
    client = TenantForeignKey(Client, indexed=False)
    visit_service_ids = ArrayField(models.UUIDField())
    service_on = models.DateField(null=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    #: The Refusal's code: "already_billed", "license_missing" …
    code = models.CharField(max_length=40)
    message = models.CharField(max_length=400)
    other_invoice_number = models.BigIntegerField(null=True)
    staff_member = TenantForeignKey(StaffMember, null=True, indexed=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["skipped", "refused"]), name="batch_problem_kind_known"
            ),
        ]


class Invoice(TenantModel):
    """The bill of one client: number, copied names and addresses, one issue date. Insert and select only."""

    class Door(models.TextChoices):
        AGENDA = "agenda", "Agenda"
        LEDGER = "ledger", "Ledger"
        BATCH = "batch", "Batch Invoicing"
        AUTOMATION = "automation", "Automation"
        IMPORT = "import", "Import"

    number = models.BigIntegerField()
    client = TenantForeignKey(Client, indexed=False)
    issued_on = models.DateField()
    created_at = models.DateTimeField()
    created_by_name = models.CharField(max_length=120)
    door = models.CharField(max_length=10, choices=Door.choices)
    batch = TenantForeignKey(Batch, null=True, indexed=False)
    #: The id the form carried: a second submit of the same form finds the first one's invoice.
    request_key = models.UUIDField(null=True)
    note = models.CharField(max_length=400, blank=True)
    client_name = models.CharField(max_length=190)
    client_address = models.TextField(blank=True)
    practice_name = models.CharField(max_length=120)
    practice_address = models.TextField(blank=True)
    practice_phone = models.CharField(max_length=20, blank=True)
    practice_tax_id = models.CharField(max_length=10, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "number"], name="invoice_number_once"),
            models.UniqueConstraint(
                fields=["practice", "request_key"],
                condition=models.Q(request_key__isnull=False),
                name="invoice_request_once",
            ),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="invoice_number_positive"),
        ]
        indexes = [
            models.Index(fields=["practice", "client", "issued_on"], name="invoice_client_ix"),
            models.Index(
                fields=["practice", "batch"], condition=models.Q(batch__isnull=False), name="invoice_batch_ix"
            ),
            models.Index(fields=["practice", "issued_on"], name="invoice_issued_ix"),
        ]


class InvoiceVoid(TenantModel):
    """That an invoice was voided: by whom, when, why. The invoice keeps its number and row (C3)."""

    invoice = TenantForeignKey(Invoice, indexed=False)
    voided_at = models.DateTimeField()
    voided_by_name = models.CharField(max_length=120)
    reason = models.CharField(max_length=400)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "invoice"], name="invoice_void_once"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="invoice_void_has_reason"),
        ]


class InvoiceLine(TenantModel):
    """One service type on one date of service, with everything frozen (B9).

    Only `ended_at` and the two open amounts ever move; the open amounts only in `ledger.post`.
    """

    invoice = TenantForeignKey(Invoice)
    client = TenantForeignKey(Client, indexed=False)
    position = models.PositiveSmallIntegerField()
    #: Set: a linked line. Null: a manual one.
    visit_service = TenantForeignKey(VisitService, null=True, indexed=False)
    service_on = models.DateField()
    service_type = TenantForeignKey(ServiceType, null=True, indexed=False)
    code = models.CharField(max_length=20, blank=True)
    name = models.CharField(max_length=120)
    is_cpt = models.BooleanField()
    modifiers = ArrayField(models.CharField(max_length=2), default=list)
    place_of_service = models.CharField(max_length=2, blank=True)
    rate_cents = models.BigIntegerField()
    units = models.PositiveIntegerField()
    amount_cents = models.BigIntegerField()
    client_cents = models.BigIntegerField()
    insurance_cents = models.BigIntegerField()
    client_open_cents = models.BigIntegerField()
    insurance_open_cents = models.BigIntegerField()
    #: Which rule gave the rate: see services.rules.PriceRule.source.
    price_source = models.CharField(max_length=10)
    coverage = TenantForeignKey(Coverage, null=True, indexed=False)
    #: The date of service's copay that this line's client part stands for (B10: once per date of service).
    copay_cents = models.BigIntegerField(default=0)
    rendering_staff_member = TenantForeignKey(StaffMember, null=True, indexed=False)
    rendering_name = models.CharField(max_length=170, blank=True)
    rendering_npi = models.CharField(max_length=10, blank=True)
    billing_name = models.CharField(max_length=170)
    billing_npi = models.CharField(max_length=10, blank=True)
    diagnosis_codes = ArrayField(models.CharField(max_length=8), default=list)
    note = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "visit_service"],
                condition=models.Q(ended_at__isnull=True, visit_service__isnull=False),
                name="line_one_live",
            ),
            models.CheckConstraint(
                condition=models.Q(amount_cents=models.F("rate_cents") * models.F("units")),
                name="line_amount_is_rate_units",
            ),
            models.CheckConstraint(
                condition=models.Q(amount_cents=models.F("client_cents") + models.F("insurance_cents")),
                name="line_sides_add_up",
            ),
            models.CheckConstraint(
                condition=models.Q(client_cents__gte=0, insurance_cents__gte=0), name="line_sides_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(client_open_cents__gte=0, insurance_open_cents__gte=0),
                name="line_open_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(amount_cents__gte=models.F("client_open_cents") + models.F("insurance_open_cents")),
                name="line_open_within_amount",
            ),
            models.CheckConstraint(condition=models.Q(units__gte=1, rate_cents__gte=0), name="line_units_and_rate"),
            models.CheckConstraint(
                condition=models.Q(price_source__in=["edited", "visit", "client", "payer", "income", "service"]),
                name="line_price_source_known",
            ),
            models.CheckConstraint(
                # Nobody but an insurer known by a coverage can owe an insurance side.
                condition=models.Q(coverage__isnull=False) | models.Q(insurance_cents=0, insurance_open_cents=0),
                name="line_insured_has_coverage",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True) | models.Q(client_open_cents=0, insurance_open_cents=0),
                name="line_ended_owes_nothing",
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "client", "service_on"], name="line_client_ix"),
            # What is open, for ledgers and ageing: small whatever the practice's history.
            models.Index(
                fields=["practice", "client"],
                condition=models.Q(client_open_cents__gt=0) | models.Q(insurance_open_cents__gt=0),
                name="line_open_ix",
            ),
        ]
