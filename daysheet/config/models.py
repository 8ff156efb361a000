"""What the nightly verification found, kept for the people of the practice."""

from __future__ import annotations

from django.db import models

from daysheet.database.models import TenantModel


class Verification(TenantModel):
    """One run of `daysheet verify` over one practice. Insert and select only.

    `ran_on` is the day in practice time: one run a night. `found` lists the failed checks: name, count, first
    differences in words.
    """

    ran_on = models.DateField()
    ran_at = models.DateTimeField()
    check_count = models.PositiveIntegerField()
    difference_count = models.PositiveIntegerField()
    found = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice", "ran_on"], name="verification_once_a_day")]
