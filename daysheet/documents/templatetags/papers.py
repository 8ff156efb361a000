"""What the print page needs to lay a table out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django import template

from daysheet.documents.papers import BREAK, Cell, Column, Sum

register = template.Library()


@register.filter
def beside(cells: Sequence[Cell], columns: Sequence[Column]) -> Iterable[tuple[Column, Cell]]:
    """Each cell of a row with its column."""
    return zip(columns, cells, strict=True)


@register.filter
def label_span(each: Sum, columns: Sequence[Column]) -> int:
    """How many columns the label of a sum spans."""
    return len(columns) - len(each.amounts)


@register.filter
def amounts_under(each: Sum, columns: Sequence[Column]) -> Iterable[tuple[Column, str]]:
    """Each amount of a sum with the column it stands under."""
    return zip(columns[label_span(each, columns) :], each.amounts, strict=True)


@register.filter
def unbroken(text: str) -> str:
    """Without the places where a long word may break."""
    return text.replace(BREAK, "")
