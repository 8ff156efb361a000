"""The one table in which every cent moves. A row is one movement: balanced by construction, never changed."""

from __future__ import annotations

from django.db import models

from daysheet.database.models import TenantModel


class Account(models.TextChoices):
    """The fixed list of accounts (architecture.md, section 4)."""

    CLIENT_RECEIVABLE = "client_receivable", "Client receivable"
    INSURANCE_RECEIVABLE = "insurance_receivable", "Insurance receivable"
    REVENUE = "revenue", "Charges"
    CASH = "cash", "Cash"
    CREDIT = "credit", "Credit"
    WRITE_OFF = "write_off", "Write-off"
    CONTRACTUAL = "contractual", "Contractual adjustment"
    REFUNDED = "refunded", "Refunded"


#: Where an amount goes that nobody will pay: given up by the practice, or by its contract with the insurer.
GIVEN_UP = (Account.WRITE_OFF, Account.CONTRACTUAL)


class MoneyRequest(TenantModel):
    """That the request with this key (`id`) was carried out, and the digest of its content (M5). Insert and select."""

    verb = models.CharField(max_length=40)
    digest = models.CharField(max_length=64)
    posted_at = models.DateTimeField()


class Entry(TenantModel):
    """`amount_cents` moved from `credit_account` to `debit_account`. Insert and select only.

    `client_id`, `line_id`, `payment_id`, `claim_id`, `coverage_id` are bare ids here; the slices above add the keys.
    `event_id` is the id of the action that wrote the row: all rows of one correction share it.
    """

    debit_account = models.CharField(max_length=20, choices=Account.choices)
    credit_account = models.CharField(max_length=20, choices=Account.choices)
    amount_cents = models.BigIntegerField()
    client_id = models.UUIDField(null=True)
    line_id = models.UUIDField(null=True)
    payment_id = models.UUIDField(null=True)
    claim_id = models.UUIDField(null=True)
    coverage_id = models.UUIDField(null=True)
    effective_on = models.DateField()
    posted_at = models.DateTimeField()
    actor_name = models.CharField(max_length=120)
    reason = models.CharField(max_length=400, blank=True)
    reverses_id = models.UUIDField(null=True)
    event_id = models.UUIDField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(amount_cents__gt=0), name="entry_amount_positive"),
            models.CheckConstraint(
                condition=~models.Q(debit_account=models.F("credit_account")), name="entry_accounts_differ"
            ),
            models.CheckConstraint(
                condition=models.Q(debit_account__in=Account.values) & models.Q(credit_account__in=Account.values),
                name="entry_accounts_known",
            ),
            models.CheckConstraint(
                # A receivable always belongs to a line, credit and cash to a payment.
                condition=(
                    ~(
                        models.Q(debit_account__in=["client_receivable", "insurance_receivable"])
                        | models.Q(credit_account__in=["client_receivable", "insurance_receivable"])
                    )
                    | models.Q(line_id__isnull=False)
                ),
                name="entry_receivable_has_line",
            ),
            models.CheckConstraint(
                condition=(
                    ~(models.Q(debit_account__in=["cash", "credit"]) | models.Q(credit_account__in=["cash", "credit"]))
                    | models.Q(payment_id__isnull=False)
                ),
                name="entry_money_has_payment",
            ),
            models.CheckConstraint(
                # An insurer's money on a line names the coverage: so it is never taken for the client's credit.
                condition=~(
                    models.Q(debit_account="credit", credit_account="insurance_receivable")
                    | models.Q(debit_account="insurance_receivable", credit_account="credit")
                )
                | models.Q(coverage_id__isnull=False),
                name="entry_insurance_money_has_coverage",
            ),
            models.UniqueConstraint(
                fields=["practice", "reverses_id"],
                condition=models.Q(reverses_id__isnull=False),
                name="entry_reversed_once",
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "client_id", "effective_on", "id"], name="entry_client_ix"),
            models.Index(fields=["practice", "line_id"], name="entry_line_ix"),
            models.Index(fields=["practice", "event_id"], name="entry_event_ix"),
            # A day sheet, and whether anything was posted after a day.
            models.Index(fields=["practice", "effective_on"], name="entry_day_ix"),
            models.Index(
                fields=["practice", "payment_id"],
                condition=models.Q(payment_id__isnull=False),
                name="entry_payment_ix",
            ),
        ]


class Books(TenantModel):
    """One row of a practice: through which day its books are closed (M10). Whoever posts holds it shared, whoever
    closes holds it alone: so no entry slips into a day while it is being closed."""

    #: Copied from the latest ClosedDay, which `verify` compares; null while no day was closed.
    closed_through_on = models.DateField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice"], name="books_one")]


class ClosedDay(TenantModel):
    """That a day and all before it were closed, by whom and when, and what its sheet said. Insert and select only."""

    day = models.DateField()
    closed_at = models.DateTimeField()
    closed_by_name = models.CharField(max_length=120)
    opening_cents_snapshot = models.BigIntegerField()
    charges_cents_snapshot = models.BigIntegerField()
    payments_cents_snapshot = models.BigIntegerField()
    adjustments_cents_snapshot = models.BigIntegerField()
    closing_cents_snapshot = models.BigIntegerField()
    entry_count_snapshot = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "day"], name="day_closed_once"),
            models.CheckConstraint(
                condition=models.Q(
                    closing_cents_snapshot=models.F("opening_cents_snapshot")
                    + models.F("charges_cents_snapshot")
                    - models.F("payments_cents_snapshot")
                    - models.F("adjustments_cents_snapshot")
                ),
                name="closed_day_proves",
            ),
        ]
