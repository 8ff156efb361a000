"""Service types and prices. No CPT code or descriptor is shipped: the practice types its own (L6)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from daysheet.clients.models import Client, Payer
from daysheet.database.models import TenantForeignKey, TenantModel

from .rules import MOST_MODIFIERS, service_label, unit_rule_label


class ServiceType(TenantModel):
    """A thing that can be billed. Archived, never deleted."""

    class Kind(models.TextChoices):
        CPT = "cpt", "CPT"
        HCPCS = "hcpcs", "HCPCS"
        NON_CPT = "non_cpt", "Non-CPT"

    class UnitRule(models.TextChoices):
        ALWAYS = "always", "Always Bill For n"
        PER_MINUTES = "per_minutes", "1 Unit per m minutes"

    code = models.CharField(max_length=20)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    #: Rate of one unit.
    rate_cents = models.BigIntegerField()
    unit_rule = models.CharField(max_length=12, choices=UnitRule.choices, default=UnitRule.ALWAYS)
    #: n of "Always Bill For n", or m of "1 Unit per m minutes" (S2).
    unit_count = models.PositiveSmallIntegerField(default=1)
    default_minutes = models.PositiveSmallIntegerField(default=50)
    modifiers = ArrayField(models.CharField(max_length=2), default=list)
    #: Off: the whole amount is the client's, whatever the coverage (a missed-appointment fee).
    bills_insurance = models.BooleanField(default=True)
    #: Offered when a visit becomes No Show, Late Cancel or Canceled (S1).
    is_no_show_fee = models.BooleanField(default=False)
    is_late_cancel_fee = models.BooleanField(default=False)
    is_canceled_fee = models.BooleanField(default=False)
    archived_at = models.DateTimeField(null=True)
    external_id = models.CharField(max_length=100, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "practice", Lower("code"), condition=models.Q(archived_at__isnull=True), name="service_code_once"
            ),
            models.UniqueConstraint(fields=["practice", "external_id"], name="service_external_id_once"),
            models.UniqueConstraint(
                fields=["practice"],
                condition=models.Q(is_no_show_fee=True, archived_at__isnull=True),
                name="service_one_no_show_fee",
            ),
            models.UniqueConstraint(
                fields=["practice"],
                condition=models.Q(is_late_cancel_fee=True, archived_at__isnull=True),
                name="service_one_late_cancel_fee",
            ),
            models.UniqueConstraint(
                fields=["practice"],
                condition=models.Q(is_canceled_fee=True, archived_at__isnull=True),
                name="service_one_canceled_fee",
            ),
            models.CheckConstraint(condition=models.Q(rate_cents__gte=0), name="service_rate_not_negative"),
            models.CheckConstraint(condition=models.Q(unit_count__gte=1), name="service_unit_count_positive"),
            models.CheckConstraint(condition=models.Q(kind__in=["cpt", "hcpcs", "non_cpt"]), name="service_kind_known"),
            models.CheckConstraint(
                condition=models.Q(unit_rule__in=["always", "per_minutes"]), name="service_unit_rule_known"
            ),
            models.CheckConstraint(
                # A fee for a visit that did not happen is never a CPT code (S1).
                condition=~(
                    models.Q(is_no_show_fee=True) | models.Q(is_late_cancel_fee=True) | models.Q(is_canceled_fee=True)
                )
                | models.Q(kind="non_cpt"),
                name="service_fee_is_not_cpt",
            ),
        ]

    @property
    def label(self) -> str:
        """`90001 Long session`: code and name as the practice typed them."""
        return service_label(self.code, self.name)

    @property
    def fee_words(self) -> str:
        """`No Show and Late Cancel fee`; empty where it is none."""
        kinds = ((self.is_no_show_fee, "No Show"), (self.is_late_cancel_fee, "Late Cancel"))
        names = [name for is_fee, name in (*kinds, (self.is_canceled_fee, "Canceled")) if is_fee]
        return f"{', '.join(names[:-1])}{' and ' * (len(names) > 1)}{names[-1]} fee" if names else ""

    @property
    def units_label(self) -> str:
        """`1 Unit per 15 minutes`."""
        return unit_rule_label(self.unit_rule, self.unit_count)


class PayerRate(TenantModel):
    """A step of a payer's fee schedule: the rate per unit of a service for insured lines (B10), in force from
    `starts_on` until the next step of the same payer and service begins. No end is stored, so no two can overlap."""

    payer = TenantForeignKey(Payer, indexed=False)
    service_type = TenantForeignKey(ServiceType)
    starts_on = models.DateField()
    #: Null: from this day on the payer has no rate of its own for the service.
    rate_cents = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "payer", "service_type", "starts_on"], name="payer_rate_once"),
            models.CheckConstraint(
                condition=models.Q(rate_cents__isnull=True) | models.Q(rate_cents__gte=0),
                name="payer_rate_not_negative",
            ),
        ]


class PayerRule(TenantModel):
    """What a payer wants on insured lines: modifiers added to the service's own, another place of service. In force
    from `starts_on` until the next one for the same payer, service type and place begins."""

    payer = TenantForeignKey(Payer, indexed=False)
    #: Null: every service type that has no rule of its own.
    service_type = TenantForeignKey(ServiceType, null=True)
    #: Where the visit took place. Empty: anywhere that has no rule of its own.
    place_of_service = models.CharField(max_length=2, blank=True)
    starts_on = models.DateField()
    added_modifiers = ArrayField(models.CharField(max_length=2), default=list)
    #: Empty: the place of the visit is billed.
    billed_place_of_service = models.CharField(max_length=2, blank=True)
    #: From `starts_on` on there is no such rule: the next wider one holds again.
    is_end = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "payer", "service_type", "place_of_service", "starts_on"],
                nulls_distinct=False,
                name="payer_rule_once",
            ),
            models.CheckConstraint(
                condition=models.Q(place_of_service__regex=r"^([0-9]{2})?$")
                & models.Q(billed_place_of_service__regex=r"^([0-9]{2})?$"),
                name="payer_rule_places_digits",
            ),
            models.CheckConstraint(
                condition=models.Q(added_modifiers__len__lte=MOST_MODIFIERS), name="payer_rule_modifiers_fit"
            ),
            models.CheckConstraint(
                condition=models.Q(is_end=False) | models.Q(added_modifiers=[], billed_place_of_service=""),
                name="payer_rule_end_says_nothing",
            ),
        ]


class IncomeScale(TenantModel):
    """Income Based Payment Amounts from `starts_on` on, until the next scale begins: one holds on any day (B10)."""

    class Period(models.TextChoices):
        YEAR = "year", "Yearly"
        MONTH = "month", "Monthly"

    starts_on = models.DateField()
    #: Of which period the incomes of its steps are.
    period = models.CharField(max_length=5, choices=Period.choices, default=Period.YEAR)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "starts_on"], name="income_scale_start_once"),
            models.CheckConstraint(condition=models.Q(period__in=["year", "month"]), name="income_scale_period_known"),
        ]


class IncomeStep(TenantModel):
    """One step of a scale: only its lower bounds are stored, it reaches up to the next one. So no two can overlap."""

    scale = TenantForeignKey(IncomeScale, indexed=False)
    #: Null: every service type that has no steps of its own in the scale.
    service_type = TenantForeignKey(ServiceType, null=True)
    #: Households of this size and larger, up to the next size of the scale.
    household_from = models.SmallIntegerField(default=1)
    #: Incomes from this on, in the scale's period, up to the next step.
    income_from_cents = models.BigIntegerField()
    #: Per unit. Null: no amount by income from here up, the usual price holds.
    amount_cents = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "scale", "service_type", "household_from", "income_from_cents"],
                nulls_distinct=False,
                name="income_step_once",
            ),
            models.CheckConstraint(
                condition=models.Q(household_from__range=(1, 30)), name="income_step_household_sane"
            ),
            models.CheckConstraint(condition=models.Q(income_from_cents__gte=0), name="income_step_from_not_negative"),
            models.CheckConstraint(
                condition=models.Q(amount_cents__isnull=True) | models.Q(amount_cents__gte=0),
                name="income_step_amount_not_negative",
            ),
        ]


class ClientService(TenantModel):
    """The default services of a client's appointments (S2), and the client's own amount for one service (B10)."""

    client = TenantForeignKey(Client, indexed=False)
    service_type = TenantForeignKey(ServiceType)
    is_default = models.BooleanField(default=False)
    set_payment_amount_cents = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "client", "service_type"], name="client_service_once"),
            models.CheckConstraint(
                condition=models.Q(set_payment_amount_cents__isnull=True) | models.Q(set_payment_amount_cents__gte=0),
                name="client_service_amount_not_negative",
            ),
        ]
