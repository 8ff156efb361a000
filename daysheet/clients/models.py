"""Clients, who pays for them, their coverage, diagnoses and billing notes."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower

from daysheet.database.models import TenantForeignKey, TenantModel
from daysheet.staff.models import StaffMember


class Client(TenantModel):
    """The person seen. Each has a ledger of their own (product.md, section 1)."""

    class PaysBy(models.TextChoices):
        SELF = "self", "Self"
        INSURANCE = "insurance", "Insurance"

    class DocumentsBy(models.TextChoices):
        EMAIL = "email", "E-mail"
        PAPER = "paper", "Paper"

    first_name = models.CharField(max_length=60)
    middle_name = models.CharField(max_length=60, blank=True)
    last_name = models.CharField(max_length=60)
    preferred_name = models.CharField(max_length=60, blank=True)
    #: Documents show the legal name, or the preferred one where this is set (D2).
    print_preferred_name = models.BooleanField(default=False)
    birth_on = models.DateField(null=True)
    #: F, M or U: what the 837P DMG03 and CMS-1500 box 3 ask for.
    sex = models.CharField(max_length=1, blank=True)
    email = models.EmailField(max_length=254, blank=True)
    #: How the client wants invoices and statements; empty: by e-mail where there is an address.
    documents_by = models.CharField(max_length=5, choices=DocumentsBy.choices, blank=True, default="")
    phone = models.CharField(max_length=20, blank=True)
    mobile = models.CharField(max_length=20, blank=True)
    address_1 = models.CharField(max_length=80, blank=True)
    address_2 = models.CharField(max_length=80, blank=True)
    city = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=2, blank=True)
    postal_code = models.CharField(max_length=10, blank=True)
    is_active = models.BooleanField(default=True)
    pays_by = models.CharField(max_length=10, choices=PaysBy.choices, default=PaysBy.SELF)
    #: Set Payment Amount (B10): overrides the rate per unit of every service that has no amount of its own.
    set_payment_amount_cents = models.BigIntegerField(null=True)
    #: Used as rendering provider instead of the appointment's staff member (B11).
    rendering_override = TenantForeignKey(StaffMember, null=True, indexed=False)
    #: "Bill with selected staff NPI" (B11); empty: the practice's own NPI bills.
    billing_staff_member = TenantForeignKey(StaffMember, null=True, indexed=False)
    created_at = models.DateTimeField(auto_now_add=True)
    external_id = models.CharField(max_length=100, null=True)
    #: Lower-case names, birth date in both spellings and digits of the phones: what the search box looks in.
    search_text = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "external_id"], name="client_external_id_once"),
            models.CheckConstraint(condition=models.Q(sex__in=["", "F", "M", "U"]), name="client_sex_known"),
            models.CheckConstraint(condition=models.Q(pays_by__in=["self", "insurance"]), name="client_pays_by_known"),
            models.CheckConstraint(
                condition=models.Q(documents_by__in=["", "email", "paper"]), name="client_documents_by_known"
            ),
            models.CheckConstraint(
                condition=models.Q(set_payment_amount_cents__isnull=True) | models.Q(set_payment_amount_cents__gte=0),
                name="client_set_amount_not_negative",
            ),
        ]
        indexes = [
            models.Index("practice", Lower("last_name"), Lower("first_name"), "id", name="client_name_ix"),
        ]

    @property
    def name(self) -> str:
        """What people in the practice call the client: the preferred name where there is one."""
        return f"{self.preferred_name or self.first_name} {self.last_name}".strip()

    #: What `sort_name` is made of, for whoever reads no more of a client than that.
    SORT_NAME_COLUMNS = ("first_name", "middle_name", "last_name", "preferred_name")

    @property
    def sort_name(self) -> str:
        """`Ruiz, Ana (Annie)`: for lists."""
        first = " ".join(part for part in (self.first_name, self.middle_name) if part)
        preferred = f" ({self.preferred_name})" if self.preferred_name else ""
        return ", ".join(part for part in (self.last_name, f"{first}{preferred}".strip()) if part)

    @property
    def document_name(self) -> str:
        """The name that documents print (D2)."""
        if self.print_preferred_name and self.preferred_name:
            return f"{self.preferred_name} {self.last_name}"
        return " ".join(part for part in (self.first_name, self.middle_name, self.last_name) if part)


class ClientAssignment(TenantModel):
    """That a staff member is assigned to a client: what "Limit access to only assigned clients" looks at (P1)."""

    client = TenantForeignKey(Client, indexed=False)
    staff_member = TenantForeignKey(StaffMember)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice", "client", "staff_member"], name="assignment_once")]


class Payer(TenantModel):
    """An insurer. `payer_code` is the electronic payer id (837P 2010BB NM109)."""

    name = models.CharField(max_length=80)
    payer_code = models.CharField(max_length=30, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    address_1 = models.CharField(max_length=80, blank=True)
    address_2 = models.CharField(max_length=80, blank=True)
    city = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=2, blank=True)
    postal_code = models.CharField(max_length=10, blank=True)
    timely_filing_days = models.PositiveSmallIntegerField(null=True)
    is_active = models.BooleanField(default=True)
    external_id = models.CharField(max_length=100, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("practice", Lower("name"), name="payer_name_once"),
            models.UniqueConstraint(fields=["practice", "external_id"], name="payer_external_id_once"),
        ]


class Coverage(TenantModel):
    """One policy of a client (I1). In force on `starts_on <= day` and `day < ends_on` (half open; null: no end)."""

    class Relationship(models.TextChoices):
        SELF = "self", "Self"
        SPOUSE = "spouse", "Spouse"
        CHILD = "child", "Child"
        OTHER = "other", "Other"

    client = TenantForeignKey(Client)
    payer = TenantForeignKey(Payer)
    rank = models.PositiveSmallIntegerField(default=1)
    insured_id = models.CharField(max_length=40)
    group_number = models.CharField(max_length=40, blank=True)
    plan_name = models.CharField(max_length=60, blank=True)
    relationship = models.CharField(max_length=10, choices=Relationship.choices, default=Relationship.SELF)
    insured_first_name = models.CharField(max_length=60, blank=True)
    insured_last_name = models.CharField(max_length=60, blank=True)
    insured_birth_on = models.DateField(null=True)
    insured_sex = models.CharField(max_length=1, blank=True)
    #: Null: no copay is known, the insurer owes everything (B10).
    copay_cents = models.BigIntegerField(null=True)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)
    external_id = models.CharField(max_length=100, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "external_id"], name="coverage_external_id_once"),
            models.CheckConstraint(
                condition=models.Q(copay_cents__isnull=True) | models.Q(copay_cents__gte=0),
                name="coverage_copay_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(ends_on__isnull=True) | models.Q(ends_on__gt=models.F("starts_on")),
                name="coverage_ends_after_start",
            ),
            models.CheckConstraint(condition=models.Q(rank__gte=1, rank__lte=9), name="coverage_rank_sane"),
        ]


class Diagnosis(TenantModel):
    """An ICD-10-CM code of a client, in the order it is pointed at (A, B, … of CMS-1500 box 21)."""

    client = TenantForeignKey(Client, indexed=False)
    code = models.CharField(max_length=8)
    name = models.CharField(max_length=120, blank=True)
    position = models.PositiveSmallIntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)

    class Meta:
        indexes = [models.Index(fields=["practice", "client", "position"], name="diagnosis_client_ix")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(code__regex=r"^[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?$"), name="diagnosis_code_shape"
            ),
            models.CheckConstraint(
                condition=models.Q(position__gte=1, position__lte=12), name="diagnosis_position_sane"
            ),
        ]


class ClientIncome(TenantModel):
    """What a client's household lives on, as given on a day (B10). Append-only: the newest that was given by a date of
    service decides, until `renew_on`; one without an income takes the earlier ones back."""

    class Period(models.TextChoices):
        YEAR = "year", "A year"
        MONTH = "month", "A month"

    client = TenantForeignKey(Client, indexed=False)
    #: Income of the whole household in one `period`. Null: taken back.
    income_cents = models.BigIntegerField(null=True)
    period = models.CharField(max_length=5, choices=Period.choices, default=Period.YEAR)
    household_size = models.SmallIntegerField(null=True)
    given_on = models.DateField()
    #: The first day on which it no longer counts. Null: until another is given.
    renew_on = models.DateField(null=True)
    note = models.CharField(max_length=200, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by_name = models.CharField(max_length=120)

    class Meta:
        indexes = [models.Index(fields=["practice", "client", "given_on"], name="client_income_ix")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(income_cents__isnull=True) | models.Q(income_cents__gte=0),
                name="client_income_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(household_size__isnull=True) | models.Q(household_size__range=(1, 30)),
                name="client_income_household_sane",
            ),
            models.CheckConstraint(
                # An income without the household it feeds means nothing.
                condition=models.Q(income_cents__isnull=True, household_size__isnull=True, renew_on__isnull=True)
                | models.Q(income_cents__isnull=False, household_size__isnull=False),
                name="client_income_whole_or_taken_back",
            ),
            models.CheckConstraint(
                condition=models.Q(renew_on__isnull=True) | models.Q(renew_on__gt=models.F("given_on")),
                name="client_income_renewed_later",
            ),
            models.CheckConstraint(condition=models.Q(period__in=["year", "month"]), name="client_income_period_known"),
        ]


class BillingNote(TenantModel):
    """A note on a client's ledger. Its texts are BillingNoteText rows; the newest is shown, the earlier ones kept."""

    client = TenantForeignKey(Client)
    created_at = models.DateTimeField()


class BillingNoteText(TenantModel):
    """One wording of a billing note. Append-only."""

    note = TenantForeignKey(BillingNote)
    text = models.TextField()
    author_name = models.CharField(max_length=120)
    author_staff_member_id = models.UUIDField(null=True)
    written_at = models.DateTimeField()
