"""Money received, and what of it was put where. The amounts themselves move in the ledger's entries."""

from __future__ import annotations

from django.db import models

from daysheet.clients.models import Client, Payer
from daysheet.database.models import TenantForeignKey, TenantModel
from daysheet.schedule.models import Visit


class Payment(TenantModel):
    """Money received, from a client or an insurer. `unapplied_cents` is credit; it moves only in `ledger.post`
    (M2, M4)."""

    class Method(models.TextChoices):
        CASH = "cash", "Cash"
        CHECK = "check", "Check"
        CARD = "card", "Credit/Debit Card"
        ACH = "ach", "ACH"
        HSA = "hsa", "HSA/FSA"
        OTHER = "other", "Other"
        INSURANCE_CHECK = "ins_check", "Insurance Check"
        EFT = "eft", "EFT/ACH"

    #: By which a client's money comes; the others are an insurer's.
    CLIENT_METHODS = (Method.CASH, Method.CHECK, Method.CARD, Method.ACH, Method.HSA, Method.OTHER)
    INSURER_METHODS = (Method.INSURANCE_CHECK, Method.EFT)

    #: Whose money it is: a client's or an insurer's, never both.
    client = TenantForeignKey(Client, null=True, indexed=False)
    payer = TenantForeignKey(Payer, null=True)
    method = models.CharField(max_length=10, choices=Method.choices)
    amount_cents = models.BigIntegerField()
    unapplied_cents = models.BigIntegerField()
    received_on = models.DateField()
    number = models.CharField(max_length=40, blank=True)
    notes = models.CharField(max_length=400, blank=True)
    #: "Co-Pay" was ticked (M1).
    is_copay = models.BooleanField(default=False)
    #: Taken at the Agenda for this visit, or named for it before it was billed.
    visit = TenantForeignKey(Visit, null=True, indexed=False)
    #: Named for the visit's appointment: what of it is unapplied goes on that visit's lines when they are billed (M3).
    is_prepayment = models.BooleanField(default=False)
    #: The charge of the card processor that brought it; the slice above (cards) adds the key. Such a payment is
    #: refunded through the processor only.
    charge_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    created_by_name = models.CharField(max_length=120)
    #: M5: the same key with the same content is the same payment; with other content it is refused.
    request_key = models.UUIDField()
    request_digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "request_key"], name="payment_request_once"),
            models.UniqueConstraint(
                fields=["practice", "charge_id"],
                condition=models.Q(charge_id__isnull=False),
                name="payment_charge_once",
            ),
            models.CheckConstraint(condition=models.Q(amount_cents__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(
                condition=models.Q(is_prepayment=False) | models.Q(visit__isnull=False, client__isnull=False),
                name="payment_prepayment_has_visit",
            ),
            models.CheckConstraint(
                condition=models.Q(charge_id__isnull=True) | models.Q(method="card"), name="payment_charge_is_card"
            ),
            models.CheckConstraint(
                condition=models.Q(unapplied_cents__gte=0, unapplied_cents__lte=models.F("amount_cents")),
                name="payment_unapplied_within_amount",
            ),
            models.CheckConstraint(
                # An insurer's money comes by its own methods, a client's by the others.
                condition=models.Q(
                    client__isnull=False,
                    payer__isnull=True,
                    method__in=["cash", "check", "card", "ach", "hsa", "other"],
                )
                | models.Q(client__isnull=True, payer__isnull=False, method__in=["ins_check", "eft"]),
                name="payment_method_known",
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "client", "received_on"], name="payment_client_ix"),
            models.Index(fields=["practice", "received_on"], name="payment_received_ix"),
            # "This number was used before" (M5), without reading every payment.
            models.Index(fields=["practice", "number"], condition=~models.Q(number=""), name="payment_number_ix"),
        ]

    @property
    def from_name(self) -> str:
        """Whose money it is, in words."""
        return self.client.name if self.client else self.payer.name if self.payer else ""


class PaymentReversal(TenantModel):
    """That a payment was deleted, that is reversed: by whom, when, why. The payment and its entries stay (M6)."""

    payment = TenantForeignKey(Payment, indexed=False)
    reversed_at = models.DateTimeField()
    reversed_by_name = models.CharField(max_length=120)
    reason = models.CharField(max_length=400)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "payment"], name="payment_reversed_once"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="payment_reversal_has_reason"),
        ]
