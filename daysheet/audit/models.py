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


class RecordView(TenantModel):
    """That somebody opened a page of a client's record. `page` is the name of its address."""

    at = models.DateTimeField()
    staff_member_id = models.UUIDField(null=True)
    person_name = models.CharField(max_length=120)
    client_id = models.UUIDField()
    page = models.CharField(max_length=60)
    request_id = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["practice", "client_id", "-at"], name="record_view_client_ix"),
            models.Index(fields=["practice", "at"], name="record_view_at_ix"),
        ]


class AuditSeal(TenantModel):
    """A night's link of the chain over all audit events and record views: `hash` covers those of [from_at, to_at) and
    the hash of the night before, so that nothing of the past can be changed, added or removed unnoticed."""

    sealed_at = models.DateTimeField()
    #: Null: from the beginning.
    from_at = models.DateTimeField(null=True)
    to_at = models.DateTimeField()
    event_count = models.BigIntegerField()
    view_count = models.BigIntegerField()
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [
            # One follows each: the chain cannot fork, and has one beginning.
            models.UniqueConstraint(fields=["practice", "previous_hash"], name="audit_seal_one_follows"),
            models.CheckConstraint(
                condition=models.Q(from_at__isnull=True) | models.Q(to_at__gt=models.F("from_at")),
                name="audit_seal_goes_forward",
            ),
            models.CheckConstraint(condition=models.Q(hash__regex=r"^[0-9a-f]{64}$"), name="audit_seal_hash_shape"),
        ]
