"""What PostgreSQL's planner knows of the tables, counted again at once where many rows were written.

The server counts by itself, but only after a tenth of a table has changed. Until then it takes a practice that is new
beside others for empty, joins by the practice alone, and pairs every row with every other: minutes for seven hundred
visits. A practice that grows day by day is known after the next night (config/jobs.py).
"""

from __future__ import annotations

from django.apps import apps as django_apps
from django.db import connection
from django.db.models import Model

#: From so many rows of one practice on the planner has to know of them at once; fewer are quick in any order.
MANY_ROWS = 200
#: Where the new rows are less than one in so many, the practice is known well enough until the night.
_KNOWN = 10


def count_again_after(rows: int, of: type[Model], *apps: str) -> None:
    """`count_again` where a practice has just got so many rows of a table and that is news: of a table that holds
    millions, counting takes seconds. Inside the practice's transaction; call it last there."""
    if rows >= MANY_ROWS and of._default_manager.order_by()[: rows * _KNOWN].count() < rows * _KNOWN:
        count_again(*apps)


def count_again(*apps: str) -> None:
    """ANALYZE the tables of these slices that belong to practices; of all slices if none is named. Sees the rows of the
    transaction it is called in; call it last there. A table that somebody else is counting is left to them."""
    tables = [model._meta.db_table for app in apps for model in django_apps.get_app_config(app).get_models()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT daysheet_count_again(%s::text[])", [tables if apps else None])
