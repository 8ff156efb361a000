"""Stored cards (as tokens), charges, refunds, disputes. What happened to each is a row, inserted once, never changed.

No card number, security code or magnetic stripe is ever here: the processor's page takes them.
"""

from __future__ import annotations

from django.db import models

from daysheet.clients.models import Client
from daysheet.database.models import TenantForeignKey, TenantModel


class ProcessorAccount(TenantModel):
    """A practice's account at a card processor. Its secrets are sealed (`sealing.py`)."""

    class Kind(models.TextChoices):
        SIMULATED = "simulated", "Simulated processor"
        STRIPE = "stripe", "Stripe"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    api_key_sealed = models.TextField()
    webhook_secret_sealed = models.TextField(blank=True)
    connected_at = models.DateTimeField()
    connected_by_name = models.CharField(max_length=120)
    #: A new account takes its place; its cards are not charged any more, its news is still heard.
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=["simulated", "stripe"]), name="processor_kind_known"),
            models.UniqueConstraint(
                fields=["practice"], condition=models.Q(ended_at__isnull=True), name="processor_one_live"
            ),
        ]


class CardSetup(TenantModel):
    """That a client was sent to the processor's page to type a card; `reference` is the page's."""

    client = TenantForeignKey(Client)
    account = TenantForeignKey(ProcessorAccount, indexed=False)
    reference = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    started_by_name = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "account", "reference"], name="card_setup_reference_once"),
        ]


class StoredCard(TenantModel):
    """A client's card, kept by the processor: we hold its token, and what a person needs to recognise it."""

    client = TenantForeignKey(Client)
    setup = TenantForeignKey(CardSetup, indexed=False)
    account = TenantForeignKey(ProcessorAccount, indexed=False)
    customer = models.CharField(max_length=200)
    token = models.CharField(max_length=200)
    brand = models.CharField(max_length=30)
    last4 = models.CharField(max_length=4)
    expires_month = models.SmallIntegerField()
    expires_year = models.SmallIntegerField()
    saved_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)
    removed_by_name = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "setup"], name="card_setup_once"),
            models.CheckConstraint(condition=models.Q(last4__regex=r"^[0-9]{4}$"), name="card_last4_digits"),
            models.CheckConstraint(
                # A card number is digits alone: none can be stored as a token by mistake.
                condition=models.Q(token__regex=r"[A-Za-z]"),  # noqa: S106 - a token of a card
                name="card_token_is_no_number",
            ),
            models.CheckConstraint(
                condition=models.Q(expires_month__gte=1, expires_month__lte=12, expires_year__gte=2000),
                name="card_expiry_sane",
            ),
        ]

    @property
    def label(self) -> str:
        """`Visa ending in 4242`."""
        return f"{self.brand.title()} ending in {self.last4}"


class ChargeRun(TenantModel):
    """Charges that somebody confirmed together: one, or hundreds. What is to be done stands in its charges."""

    created_at = models.DateTimeField()
    created_by_name = models.CharField(max_length=120)
    created_by_staff_member_id = models.UUIDField(null=True)
    expected_count = models.PositiveIntegerField()
    expected_cents = models.BigIntegerField()
    #: The run whose declined charges this one tries again.
    retry_of = TenantForeignKey("self", null=True, indexed=False)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["practice", "-created_at"], name="charge_run_created_ix")]


class Charge(TenantModel):
    """One charge of one card. Its id is the idempotency key all the way to the processor and back. Insert only."""

    run = TenantForeignKey(ChargeRun)
    client = TenantForeignKey(Client)
    card = TenantForeignKey(StoredCard, indexed=False)
    amount_cents = models.BigIntegerField()
    #: What of it the person was told will become credit, because it is more than was due.
    told_credit_cents = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "run", "client"], name="charge_run_client_once"),
            models.CheckConstraint(
                condition=models.Q(
                    amount_cents__gt=0, told_credit_cents__gte=0, told_credit_cents__lte=models.F("amount_cents")
                ),
                name="charge_amount_positive",
            ),
        ]


class ChargeStep(TenantModel):
    """That a charge reached a state. Once each, so that no message is ever worked off twice."""

    charge = TenantForeignKey(Charge, indexed=False)
    state = models.CharField(max_length=10)
    at = models.DateTimeField()
    #: The processor's own id of the charge, from `sent` on.
    reference = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "charge", "state"], name="charge_state_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["requested", "sent", "unknown", "canceled", "declined", "charged"]),
                name="charge_state_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["practice", "reference"], condition=models.Q(state="sent"), name="charge_reference_ix"
            ),
        ]


class ChargeInquiry(TenantModel):
    """That somebody had the processor asked what became of a charge, and what it answered, in words."""

    charge = TenantForeignKey(Charge)
    asked_at = models.DateTimeField()
    asked_by_name = models.CharField(max_length=120)
    answered_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(answered_at__isnull=True, answer="")
                | (models.Q(answered_at__isnull=False) & ~models.Q(answer="")),
                name="charge_inquiry_answered",
            ),
        ]


class ChargeDecision(TenantModel):
    """That somebody said what became of a charge whose outcome the processor did not tell. Insert only, once."""

    class Outcome(models.TextChoices):
        NOT_CHARGED = "not_charged", "Not charged"
        CHARGED = "charged", "Charged"

    charge = TenantForeignKey(Charge, indexed=False)
    outcome = models.CharField(max_length=11, choices=Outcome.choices)
    #: The processor's own, and the day the money came in: of a charge that was made.
    reference = models.CharField(max_length=200, blank=True)
    received_on = models.DateField(null=True)
    reason = models.CharField(max_length=400)
    decided_at = models.DateTimeField()
    decided_by_name = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "charge"], name="charge_decided_once"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="charge_decision_has_reason"),
            models.CheckConstraint(
                condition=models.Q(outcome="not_charged", reference="", received_on__isnull=True)
                | (models.Q(outcome="charged", received_on__isnull=False) & ~models.Q(reference="")),
                name="charge_decision_known",
            ),
        ]


class CardRefund(TenantModel):
    """Money given back to a card. Its entries have the refund's id as their event. `reference`: made at the processor's
    own desk, not here."""

    charge = TenantForeignKey(Charge)
    amount_cents = models.BigIntegerField()
    requested_at = models.DateTimeField()
    requested_by_name = models.CharField(max_length=120)
    reason = models.CharField(max_length=400)
    reference = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(amount_cents__gt=0), name="card_refund_amount_positive"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="card_refund_has_reason"),
            models.UniqueConstraint(
                fields=["practice", "charge", "reference"],
                condition=~models.Q(reference=""),
                name="card_refund_reference_once",
            ),
        ]


class CardRefundStep(TenantModel):
    """That a refund reached a state, once each."""

    refund = TenantForeignKey(CardRefund, indexed=False)
    state = models.CharField(max_length=10)
    at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "refund", "state"], name="card_refund_state_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["requested", "unknown", "not_made", "refunded", "failed"]),
                name="card_refund_state_known",
            ),
        ]


class CardRefundDecision(TenantModel):
    """That somebody said what became of a refund of which the processor told nothing. Insert only, once."""

    class Outcome(models.TextChoices):
        REFUNDED = "refunded", "Refunded"
        NOT_REFUNDED = "not_refunded", "Not refunded"

    refund = TenantForeignKey(CardRefund, indexed=False)
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    #: The processor's own, of a refund that was made.
    reference = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=400)
    decided_at = models.DateTimeField()
    decided_by_name = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "refund"], name="card_refund_decided_once"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="card_refund_decision_reason"),
            models.CheckConstraint(
                condition=models.Q(outcome="not_refunded", reference="")
                | (models.Q(outcome="refunded") & ~models.Q(reference="")),
                name="card_refund_decision_known",
            ),
        ]


class Dispute(TenantModel):
    """A chargeback: the client's bank took the money back. What it took here has its id as the entries' event."""

    charge = TenantForeignKey(Charge)
    reference = models.CharField(max_length=200)
    amount_cents = models.BigIntegerField()
    reason = models.CharField(max_length=200, blank=True)
    opened_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "charge", "reference"], name="dispute_reference_once"),
            models.CheckConstraint(condition=models.Q(amount_cents__gt=0), name="dispute_amount_positive"),
        ]


class DisputeEnd(TenantModel):
    """That a dispute was decided. Won: the money comes back, and is credit again."""

    class Outcome(models.TextChoices):
        WON = "won", "Won"
        LOST = "lost", "Lost"

    dispute = TenantForeignKey(Dispute, indexed=False)
    outcome = models.CharField(max_length=4, choices=Outcome.choices)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "dispute"], name="dispute_ended_once"),
            models.CheckConstraint(condition=models.Q(outcome__in=["won", "lost"]), name="dispute_outcome_known"),
        ]


class ProcessorMessage(TenantModel):
    """A webhook that was heard: the same one sent again is answered and not worked off again."""

    account = TenantForeignKey(ProcessorAccount, indexed=False)
    message_ref = models.CharField(max_length=200)
    kind = models.CharField(max_length=20)
    received_at = models.DateTimeField()
    #: What it meant here, in words.
    outcome = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "account", "message_ref"], name="processor_message_once"),
        ]
