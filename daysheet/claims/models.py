"""Claims that wait to be submitted (I2): what they claim are lines of an invoice, never typed again.

Invariant: a line is in at most one claim that stands, by partial unique index. A claim stands while `withdrawn_at` is
null; all of them are *Awaiting Submission*, because nothing here submits yet.
"""

from __future__ import annotations

from django.db import models

from daysheet.clients.models import Client, Payer
from daysheet.database.models import TenantForeignKey, TenantModel
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.staff.models import StaffMember


class Claim(TenantModel):
    """One per invoice, payer, billing provider and rendering provider. The amounts are those of its lines."""

    client = TenantForeignKey(Client, indexed=False)
    invoice = TenantForeignKey(Invoice)
    payer = TenantForeignKey(Payer, indexed=False)
    billing_name = models.CharField(max_length=170)
    billing_npi = models.CharField(max_length=10, blank=True)
    rendering_staff_member = TenantForeignKey(StaffMember, null=True, indexed=False)
    rendering_name = models.CharField(max_length=170, blank=True)
    queued_at = models.DateTimeField()
    queued_by_name = models.CharField(max_length=120)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by_name = models.CharField(max_length=120, blank=True)
    withdrawn_reason = models.CharField(max_length=400, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(withdrawn_at__isnull=True) | ~models.Q(withdrawn_reason=""),
                name="claim_withdrawn_has_reason",
            ),
        ]
        indexes = [
            models.Index(
                "practice", "queued_at", "id", condition=models.Q(withdrawn_at__isnull=True), name="claim_waiting_ix"
            ),
        ]


class ClaimLine(TenantModel):
    """That a line is in a claim, until `left_at`: it was changed or voided, or the claim was taken back."""

    claim = TenantForeignKey(Claim)
    line = TenantForeignKey(InvoiceLine, indexed=False)
    left_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "line"], condition=models.Q(left_at__isnull=True), name="claim_line_one_live"
            ),
        ]
