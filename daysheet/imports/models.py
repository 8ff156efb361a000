"""Files that were imported: what they were, and that the same file again changes nothing."""

from __future__ import annotations

from django.db import models

from daysheet.database.models import TenantModel


class ImportedFile(TenantModel):
    """One file taken in, all of it or nothing. Insert and select only."""

    kind = models.CharField(max_length=20)
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    row_count = models.PositiveIntegerField()
    created_count = models.PositiveIntegerField()
    changed_count = models.PositiveIntegerField()
    unchanged_count = models.PositiveIntegerField()
    imported_at = models.DateTimeField()
    imported_by_name = models.CharField(max_length=120)

    class Meta:
        indexes = [models.Index(fields=["practice", "-imported_at"], name="imported_file_ix")]
