"""How views of documents answer: a paper as a page, a PDF as a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse

from daysheet.web.requests import shows_record_of
from daysheet.web.views import render_page

from ..papers import Paper
from ..rendering import render_pdf


def pdf_answer(request: HttpRequest, papers: Sequence[Paper], file_name: str) -> HttpResponse:
    """These papers as one PDF, shown in the browser or with `?download=1` saved. The file's name names nobody."""
    shows_record_of(request, *(paper.client_id for paper in papers))
    answer = HttpResponse(render_pdf(papers).pdf, content_type="application/pdf")
    how = "attachment" if request.GET.get("download") else "inline"
    answer["Content-Disposition"] = f'{how}; filename="{file_name}.pdf"'
    answer["Cache-Control"] = "no-store"
    return answer


def paper_page(
    request: HttpRequest, papers: Sequence[Paper], context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """These papers as a page to read and print, under the page's own heading and form."""
    shows_record_of(request, *(paper.client_id for paper in papers))
    return render_page(request, "documents/paper_page.html", {"papers": papers, **context}, status=status)
