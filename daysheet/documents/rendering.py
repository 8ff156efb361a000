"""Documents as PDF: the interface for whoever downloads, prints in batch or sends them.

    choices = StatementChoices(Period(first_on, last_on), Basis.SERVICE)
    papers = statement_papers(actor, client_ids, choices)    # a fixed number of queries; a few hundred ids at a time
    rendered = render_pdf(papers)                            # one PDF; rendered.page_clients[n] is page n's client
    with path.open("wb") as file:
        page_clients = write_pdf(papers, file)               # thousands, in flat memory: `papers` may be a generator

The same papers give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from .composing.invoices import invoice_papers
from .composing.receipts import receipt_papers
from .composing.statements import statement_papers
from .composing.superbills import superbill_papers
from .merging import PdfWriter, TypstFile
from .papers import Paper
from .queries.statements import StatementChoices, statement_figures
from .rules import Basis, Period
from .typesetting import parts_of, set_part

__all__ = [
    "Basis", "Paper", "Period", "Rendered", "StatementChoices", "count_pages", "invoice_papers", "receipt_papers",
    "render_pdf", "statement_figures", "statement_papers", "superbill_papers", "write_pdf",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rendered:
    """A PDF, with how many pages each paper has and whose document each page belongs to."""

    pdf: bytes
    page_counts: tuple[int, ...]
    page_clients: tuple[UUID, ...]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.pdf).hexdigest()


@dataclass(frozen=True, slots=True)
class Written:
    """What `write_pdf` wrote: as in Rendered."""

    page_counts: tuple[int, ...]
    page_clients: tuple[UUID, ...]


def render_pdf(papers: Sequence[Paper], *, title: str = "") -> Rendered:
    """One PDF of one or many papers, in memory. `title` is its title in a reader's window."""
    if len(list(parts_of(papers))) != 1:
        buffer = io.BytesIO()
        written = write_pdf(papers, buffer, title=title)
        return Rendered(buffer.getvalue(), written.page_counts, written.page_clients)
    pdf = set_part(papers, title or _title(papers))
    counts = _page_counts(pdf)
    return Rendered(pdf, tuple(counts), tuple(_page_clients(papers, counts)))


def count_pages(papers: Sequence[Paper]) -> list[int]:
    """How many pages each paper has; for whoever does not need the PDF yet."""
    return [count for part in parts_of(papers) for count in _page_counts(set_part(part, _title(part)))]


def write_pdf(papers: Iterable[Paper], to: BinaryIO, *, title: str = "") -> Written:
    """One PDF of any number of papers, written to a file part by part."""
    writer = PdfWriter(to)
    page_counts: list[int] = []
    page_clients: list[UUID] = []
    for part in parts_of(papers):
        title = title or _title(part, many=True)
        counts = writer.append(set_part(part, title), [paper.identity for paper in part])
        page_counts += counts
        page_clients += _page_clients(part, counts)
    writer.finish()
    return Written(tuple(page_counts), tuple(page_clients))


def _page_counts(pdf: bytes) -> list[int]:
    file = TypstFile(pdf)
    starts = file.first_pages()
    return [end - start for start, end in zip(starts, [*starts[1:], len(file.pages)], strict=True)]


def _title(papers: Sequence[Paper], *, many: bool = False) -> str:
    return f"{papers[0].kind.label}s" if many or len(papers) > 1 else papers[0].identity


def _page_clients(papers: Sequence[Paper], counts: Sequence[int]) -> list[UUID]:
    return [paper.client_id for paper, count in zip(papers, counts, strict=True) for _ in range(count)]
