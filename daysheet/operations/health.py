"""`/health/live`: the process answers. `/health/ready`: it can do its work. For proxies and supervisors: no sign-in."""

from __future__ import annotations

from functools import cache

from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers at all; restart it when it does not."""
    return HttpResponse("live\n", content_type="text/plain")


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """200 when the database answers and its tables are those of this version; 503 sends people elsewhere meanwhile."""
    problem = problem_of_tables()
    return HttpResponse(f"{problem or 'ready'}\n", content_type="text/plain", status=503 if problem else 200)


def problem_of_tables() -> str:
    """Why the database cannot be worked with, in words; empty where it can."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT app || '.' || name FROM django_migrations")
            applied = {row[0] for row in cursor.fetchall()}
    except DatabaseError:
        return "the database does not answer"
    return "the tables are older than this version: start `daysheet serve` once" if _needed() - applied else ""


@cache
def _needed() -> frozenset[str]:
    """The newest migration of each application: the others come before."""
    return frozenset(f"{app}.{name}" for app, name in MigrationLoader(None).graph.leaf_nodes())
