"""What was done, by whom, to what. Append-only by grant."""

from __future__ import annotations

from django.db import models

from daysheet.database.models import TenantModel


class AuditEvent(TenantModel):
    """One business verb that happened. Names are copied: a later rename does not rewrite the past."""

    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10)
    actor_user_id = models.BigIntegerField(null=True)
    actor_staff_member_id = models.UUIDField(null=True)
    actor_name = models.CharField(max_length=120)
    verb = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=60)
    client_id = models.UUIDField(null=True)
    request_id = models.CharField(max_length=40, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["practice", "-at"], name="audit_at_ix"),
            models.Index(fields=["practice", "object_type", "object_id"], name="audit_object_ix"),
        ]
