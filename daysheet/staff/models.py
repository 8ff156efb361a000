"""Staff members, what they may do, and their yearly CPT licences."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from daysheet.database.models import SharedForeignKey, TenantForeignKey, TenantModel
from daysheet.practices.permissions import GRANTABLE


class StaffMember(TenantModel):
    """Anybody who works for the practice. `permissions` is the truth about what the person may do (P1)."""

    first_name = models.CharField(max_length=60)
    last_name = models.CharField(max_length=60)
    credentials = models.CharField(max_length=40, blank=True)
    email = models.EmailField(max_length=254, blank=True)
    npi = models.CharField(max_length=10, blank=True)
    taxonomy = models.CharField(max_length=10, blank=True)
    is_active = models.BooleanField(default=True)
    #: Renders services: may be chosen for appointments and invoices.
    is_provider = models.BooleanField(default=False)
    #: "CPT Code Access": turned off, the licence is not renewed (L3). It revokes nothing.
    cpt_access = models.BooleanField(default=True)
    permissions = ArrayField(models.CharField(max_length=30), default=list)
    limited_to_assigned = models.BooleanField(default=False)
    user = SharedForeignKey("practices.User", null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    external_id = models.CharField(max_length=100, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("practice", Lower("email"), condition=~models.Q(email=""), name="staff_email_once"),
            models.UniqueConstraint(fields=["practice", "user"], name="staff_user_once"),
            models.UniqueConstraint(fields=["practice", "external_id"], name="staff_external_id_once"),
            models.CheckConstraint(condition=models.Q(npi__regex=r"^([12][0-9]{9})?$"), name="staff_npi_digits"),
            models.CheckConstraint(
                condition=models.Q(permissions__contained_by=[permission.value for permission in GRANTABLE]),
                name="staff_permissions_known",
            ),
        ]

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def name_with_credentials(self) -> str:
        """`Ana Ruiz, LCSW`: as printed on invoices."""
        return f"{self.name}, {self.credentials}" if self.credentials else self.name


class CptLicense(TenantModel):
    """A paid AMA CPT licence of one person for one calendar year (L1, L2). Facts; only fee, date and reference
    of the payment to the AMA may be corrected."""

    staff_member = TenantForeignKey(StaffMember, indexed=False)
    year = models.SmallIntegerField()
    fee_cents = models.BigIntegerField()
    paid_on = models.DateField(null=True)
    reference = models.CharField(max_length=60, blank=True)
    assigned_at = models.DateTimeField()
    assigned_by = models.CharField(max_length=120)
    #: Written by the January 1 renewal rather than by a person.
    is_renewal = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "staff_member", "year"], name="license_once_a_year"),
            models.CheckConstraint(condition=models.Q(fee_cents__gte=0), name="license_fee_not_negative"),
            models.CheckConstraint(condition=models.Q(year__gte=2000, year__lte=2200), name="license_year_sane"),
        ]
        indexes = [models.Index(fields=["practice", "year"], name="license_year_ix")]


class LicenseRenewalRun(TenantModel):
    """That the renewal for a year has been carried out: what makes catching up after downtime idempotent (L2)."""

    year = models.SmallIntegerField()
    ran_at = models.DateTimeField()
    renewed_count = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice", "year"], name="renewal_once_a_year")]


class Invitation(TenantModel):
    """A link by which a person makes the login of a staff member. Only a hash of the secret is kept."""

    staff_member = TenantForeignKey(StaffMember)
    email = models.EmailField(max_length=254)
    token_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice", "token_hash"], name="invitation_token_once")]
