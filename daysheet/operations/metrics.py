"""What Prometheus reads at `/metrics`, with a bearer token. Labels are routes and states: never a practice or a person.

Counters of all web processes are kept together in the folder that PROMETHEUS_MULTIPROC_DIR names; what the database
and the disk know is asked when somebody looks.
"""

from __future__ import annotations

import hmac
import os
import shutil
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import REGISTRY, Collector

from daysheet.backup.scheduled import backups_in
from daysheet.kit.dates import utc_now

REQUESTS = Counter("daysheet_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "daysheet_request_seconds", "Seconds until the answer", ["route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10),
)  # fmt: skip
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """One more request. What a stranger can choose freely is no label: the series would have no end."""
    REQUESTS.labels(method if method in _METHODS else "other", route, f"{status // 100}xx").inc()
    SECONDS.labels(route).observe(seconds)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The page; there is none without DAYSHEET_METRICS_TOKEN, and none for who does not know it."""
    given = request.headers.get("Authorization", "")
    token = settings.METRICS_TOKEN
    if not token or not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise Http404
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_OwnCounters())
    registry.register(_Asked(utc_now()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _OwnCounters(Collector):
    """The counters of this process alone."""

    def collect(self) -> Iterator[Metric]:
        yield from (metric for metric in REGISTRY.collect() if metric.name.startswith("daysheet_"))


class _Asked(Collector):
    """What is asked at this moment: jobs, disk, backups."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[Metric]:
        jobs = GaugeMetricFamily("daysheet_jobs", "Jobs in the queue by state", labels=["state"])
        for state, count in _jobs():
            jobs.add_metric([state], count)
        yield jobs
        yield GaugeMetricFamily("daysheet_workers_alive", "Workers heard of in the last minute", value=workers_alive())
        free = shutil.disk_usage(settings.DATA_FOLDER).free
        yield GaugeMetricFamily("daysheet_data_folder_free_bytes", "Room on the data folder's disk", value=free)
        if settings.BACKUP_SCHEDULE is not None:
            newest = max(backups_in(settings.BACKUP_SCHEDULE.folder), default=None)
            age = (self.now - newest).total_seconds() if newest else float("inf")
            yield GaugeMetricFamily("daysheet_backup_age_seconds", "Since the newest scheduled backup", value=age)


def workers_alive() -> int:
    """How many workers have given a sign of life in the last minute."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '60 seconds'"
        )
        return int(cursor.fetchone()[0])


def _jobs() -> list[tuple[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT status::text, count(*) FROM procrastinate_jobs WHERE status <> 'succeeded' GROUP BY 1")
        return list(cursor.fetchall())
