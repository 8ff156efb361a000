"""That a step of the first hour was skipped, or the guide put away. Progress itself is never stored."""

from __future__ import annotations

from django.db import models

from daysheet.database.models import TenantModel


class GuideMark(TenantModel):
    """`step` is one of `rules.Step`, or `guide` for all of it. Taken away when somebody comes back to it."""

    step = models.CharField(max_length=12)
    made_at = models.DateTimeField()
    made_by_name = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "step"], name="guide_mark_once"),
            models.CheckConstraint(
                condition=models.Q(
                    step__in=["practice", "services", "provider", "client", "appointment", "invoice", "guide"]
                ),
                name="guide_mark_step_known",
            ),
        ]
