"""What every report takes from its address: the page of a long list, and how long a file may be."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from daysheet.web.views import render_page

PAGE_ROWS = 100
#: The longest list that is written to a file: what fits into memory without anybody noticing.
EXPORT_ROWS = 50_000


def page_links(request: HttpRequest, number: int, has_next: bool) -> dict[str, Any]:
    """Context for `web/parts/pagination.html`."""

    def url(page: int) -> str:
        query = request.GET.copy()
        query["page"] = str(page)
        return f"?{query.urlencode()}"

    return {
        "earlier_url": url(number - 1) if number > 1 else "",
        "later_url": url(number + 1) if has_next else "",
        "page_label": f"Page {number:,}",
    }


def too_long(request: HttpRequest) -> HttpResponse:
    """The list is too long for one file."""
    return render_page(request, "reports/too_long.html", {"most": EXPORT_ROWS}, status=422)
