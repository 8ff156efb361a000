"""The progress of long work, as people see it. What is to be done is a row of the slice that wants it done."""

from __future__ import annotations

from django.db import models

from daysheet.database.models import TenantModel

#: A subject has at most one run in these states (`job_run_one_live`).
LIVE_STATES = ("queued", "running")


class JobRun(TenantModel):
    """One run of a background job. `queued → running → done | failed`; a dead worker's run is woken by the sweep, which
    gives up on one that kills its worker again and again. A failed run stays; going on makes another."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    kind = models.CharField(max_length=40)
    #: The row of the slice this run works on (a batch, an import).
    subject_id = models.UUIDField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    #: What `done_count` and `total_count` count, in the plural: "clients".
    unit = models.CharField(max_length=30)
    total_count = models.PositiveIntegerField(default=0)
    done_count = models.PositiveIntegerField(default=0)
    #: How often a worker began since a piece was last finished.
    fruitless_starts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    request_id = models.CharField(max_length=40, blank=True)

    @property
    def is_live(self) -> bool:
        """Waiting or at work."""
        return self.state in LIVE_STATES

    class Meta:
        indexes = [models.Index(fields=["practice", "kind", "subject_id"], name="job_run_subject_ix")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["queued", "running", "done", "failed"]), name="job_run_state_known"
            ),
            models.UniqueConstraint(
                fields=["practice", "subject_id"],
                condition=models.Q(state__in=["queued", "running"]),
                name="job_run_one_live",
            ),
        ]
