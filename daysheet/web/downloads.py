"""Reports as files: `?format=csv` or `?format=xlsx` on the page's own address, so that filters hold for both."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse

from daysheet.kit.spreadsheets import tables_csv, tables_xlsx
from daysheet.kit.tables import Table

_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def asked_format(request: HttpRequest) -> str:
    """`csv`, `xlsx`, or nothing: the page."""
    asked = request.GET.get("format", "")
    return asked if asked in ("csv", "xlsx") else ""


def download(file_name: str, tables: Sequence[Table], asked: str) -> HttpResponse:
    """The tables as a file to keep: no browser shows or caches it."""
    content: str | bytes = tables_xlsx(tables) if asked == "xlsx" else "\ufeff" + tables_csv(tables)
    answer = HttpResponse(content, content_type=_EXCEL if asked == "xlsx" else "text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{file_name}.{asked}"'
    answer["Cache-Control"] = "no-store"
    return answer
