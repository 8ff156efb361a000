"""From papers to one PDF by typst: tagged, PDF/UA-1, the same bytes for the same papers.

A handful of papers is set at a time and the parts are put together (merging.py): so 2,000 statements need no more
memory than twenty. A compiler is no place to meet: each thread has its own.
"""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import typst

from .glyphs import FONTS, printable
from .papers import Block, Facts, Grid, Letterhead, Paper

_TEMPLATE = Path(__file__).parent / "typst" / "paper.typ"
#: A part is full with so many papers or rows of tables, whichever comes first. Measured: docs/adr/0007.
PART_PAPERS, PART_ROWS = 5, 100
#: Written into every file as its moment of creation, so that the moment of setting changes no byte.
_FIXED_TIMESTAMP = 0
_mine = threading.local()


def parts_of(papers: Iterable[Paper]) -> Iterator[list[Paper]]:
    """Papers in groups that are set together."""
    part: list[Paper] = []
    rows = 0
    for paper in papers:
        if part and (len(part) == PART_PAPERS or rows + paper.row_count > PART_ROWS):
            yield part
            part, rows = [], 0
        part.append(paper)
        rows += paper.row_count
    if part:
        yield part


def set_part(papers: Sequence[Paper], title: str) -> bytes:
    """One PDF with these papers, each beginning on a page of its own that is page 1."""
    given = json.dumps(_given(papers, title), ensure_ascii=False)
    pdf = _compiler().compile(sys_inputs={"papers": given}, pdf_standards="ua-1", timestamp=_FIXED_TIMESTAMP)
    assert isinstance(pdf, bytes)
    return pdf


@functools.cache
def _fonts() -> typst.Fonts:
    """Those inside typst and those of this slice; never the machine's, which differ from place to place."""
    return typst.Fonts(include_system_fonts=False, font_paths=[str(FONTS)])


def _compiler() -> typst.Compiler:
    found: typst.Compiler | None = getattr(_mine, "compiler", None)
    if found is None:
        found = _mine.compiler = typst.Compiler(_TEMPLATE, font_paths=_fonts())
    return found


def _given(papers: Sequence[Paper], title: str) -> dict[str, Any]:
    letterheads = list(dict.fromkeys(paper.letterhead for paper in papers))
    return {
        "title": printable(title),
        "author": printable(letterheads[0].name),
        "letterheads": [_letterhead(each) for each in letterheads],
        "papers": [_paper(paper, letterheads.index(paper.letterhead)) for paper in papers],
    }


def _letterhead(each: Letterhead) -> dict[str, Any]:
    return {
        "name": printable(each.name),
        "lines": [printable(line) for line in each.lines],
        "source": printable(each.pay_to_source),
        "colour": each.colour,
        "logo": list(each.logo_png) if each.logo_png else None,
        "logo_alt": printable(each.logo_alt),
    }


def _paper(paper: Paper, letterhead: int) -> dict[str, Any]:
    return {
        "title": printable(paper.title),
        "identity": printable(paper.identity),
        "letterhead": letterhead,
        "window": paper.has_window,
        "to": [printable(line) for line in paper.addressee],
        "facts": _pairs(paper.facts),
        "headline": _pairs([paper.headline])[0] if paper.headline else None,
        "banner": printable(paper.banner),
        "blocks": [_block(block) for block in paper.blocks],
    }


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"label": printable(label), "value": printable(value)} for label, value in pairs]


def _block(block: Block) -> dict[str, Any]:
    said: dict[str, Any] = {"kind": block.block, "title": printable(block.title)}
    if isinstance(block, Facts):
        return said | {"pairs": _pairs(block.pairs)}
    if not isinstance(block, Grid):
        return said | {"paragraphs": [printable(paragraph) for paragraph in block.paragraphs]}
    return said | {
        "columns": [
            {"label": printable(column.label), "kind": str(column.holds), "share": column.share}
            for column in block.columns
        ],
        "rows": [
            [{"text": printable(cell.text), "small": printable(cell.small)} for cell in row] for row in block.rows
        ],
        "sums": [
            {
                "label": printable(each.label),
                "amounts": [printable(cell) for cell in each.amounts],
                "strong": each.strong,
            }
            for each in block.sums
        ],
        "note": printable(block.note),
    }
