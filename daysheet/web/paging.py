"""Pages of long lists without a count over the whole practice: one row more than is shown tells if there is a next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

from daysheet.kit.numbers import page_from

Row = TypeVar("Row", bound=Model)

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class PageOf(Generic[Row]):
    """The rows of one page; `next_number` and `previous_number` are None at the ends. `label`: `Rows 51–100`."""

    rows: Sequence[Row]
    first_row: int
    previous_number: int | None
    next_number: int | None

    @property
    def label(self) -> str:
        """Which rows these are."""
        return f"{self.first_row:,}–{self.first_row + len(self.rows) - 1:,}" if self.rows else ""


def page_of(found: QuerySet[Row], number: str | None, size: int = PAGE_ROWS) -> PageOf[Row]:
    """The page that an address asks for; the first one where it asks for nonsense."""
    page = page_from(number)
    start = (page - 1) * size
    rows = list(found[start : start + size + 1])
    following = page + 1 if len(rows) > size else None
    return PageOf(rows[:size], start + 1, page - 1 if page > 1 else None, following)
