"""Reads a PDF back with three tools that had no part in making it: pdfua judges, pikepdf sees the structure, pdfium the
text."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pdfua
import pikepdf
import pypdfium2

from daysheet.documents.papers import BREAK


def page_texts(pdf: bytes) -> list[str]:
    """What each page says, in reading order, on one line and without the places where long words may break."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [plain(page.get_textpage().get_text_range()) for page in document]
    finally:
        document.close()


def plain(text: str) -> str:
    """One line, single spaces."""
    return " ".join(text.replace(BREAK, "").replace("\ufffe", "").split())


def assert_accessible(pdf: bytes) -> None:
    """PDF/UA-1 as far as `pdfua` judges; and seen with pikepdf: marked, with language and title, every page's content
    in the structure tree, every table with headed columns, one first heading a paper."""
    with NamedTemporaryFile(suffix=".pdf") as file:
        Path(file.name).write_bytes(pdf)
        report = pdfua.validate(file.name)
    assert not report.findings, [f"{each.rule_id} {each.message}" for each in report.findings]
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert not document.check_pdf_syntax()
        root = document.Root
        assert bool(root.MarkInfo.Marked) and str(root.Lang) == "en-US"
        assert bool(root.ViewerPreferences.DisplayDocTitle) and str(document.docinfo["/Title"])
        assert "pdfuaid:part>1<" in root.Metadata.read_bytes().decode()
        elements = list(_elements(root.StructTreeRoot))
        tagged = {place.Pg.objgen for each in elements for place in (each, *_marks(each)) if "/Pg" in place}
        assert tagged == {page.obj.objgen for page in document.pages}
        _assert_tables(elements)
        _assert_parents(root.StructTreeRoot, document)


def headings(pdf: bytes) -> list[str]:
    """The first-level headings, by their titles."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return [str(each.get("/T", "")) for each in _elements(document.Root.StructTreeRoot) if each.S == "/H1"]


def _elements(parent: Any) -> Iterator[Any]:
    kids = parent.get("/K", [])
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield kid
            yield from _elements(kid)


def _marks(element: Any) -> list[Any]:
    """The pieces of an element that lie on other pages than its own."""
    kids = element.get("/K", [])
    return [kid for kid in kids if isinstance(kid, pikepdf.Dictionary)] if isinstance(kids, pikepdf.Array) else []


def _assert_tables(elements: list[Any]) -> None:
    for table in (each for each in elements if each.S == "/Table"):
        inside = list(_elements(table))
        rows = [each for each in inside if each.S == "/TR"]
        heads = [each for each in inside if each.S == "/TH"]
        assert rows and heads
        assert all(any(attribute.get("/Scope") == "/Column" for attribute in head.A) for head in heads)
        known = {bytes(head.ID) for head in heads}
        cells = [each for each in inside if each.S == "/TD"]
        named = {bytes(name) for cell in cells for part in cell.get("/A", []) for name in part.get("/Headers", [])}
        assert named <= known


def _assert_parents(tree: Any, document: pikepdf.Pdf) -> None:
    """Every page's key leads to the elements of its marked content, and those to the page."""
    numbers = dict(_leaves(tree.ParentTree))
    keys = [int(page.obj.StructParents) for page in document.pages]
    assert sorted(keys) == list(range(len(keys))) == sorted(numbers)
    for key, page in zip(keys, document.pages, strict=True):
        for element in numbers[key]:
            places = [place.Pg.objgen for place in (element, *_marks(element)) if "/Pg" in place]
            assert page.obj.objgen in places


def _leaves(node: Any) -> Iterator[tuple[int, Any]]:
    for kid in node.get("/Kids", []):
        yield from _leaves(kid)
    numbers = list(node.get("/Nums", []))
    yield from ((int(key), value) for key, value in zip(numbers[::2], numbers[1::2], strict=True))
