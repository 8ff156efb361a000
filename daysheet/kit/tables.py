"""A table as data, so that a page, its CSV and its Excel file are one thing and cannot differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class ColumnKind(StrEnum):
    """What a column holds: text, whole cents, a whole number, or a day."""

    TEXT = "text"
    MONEY = "money"
    #: Money that a page calls credit where it is less than nothing.
    BALANCE = "balance"
    COUNT = "count"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Column:
    """A heading and what stands under it."""

    label: str
    kind: ColumnKind = ColumnKind.TEXT


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of its column's kind; None is an empty cell. `url` is what is behind it, `note` a small line under it."""

    value: str | int | date | None
    url: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells in the order of `columns`; `total` stands under them. The first cell of a row names it."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] | None = None

    @property
    def shown_rows(self) -> Iterator[list[tuple[Column, Cell]]]:
        """The rows for a template, each cell with its column."""
        return (list(zip(self.columns, row, strict=True)) for row in self.rows)

    @property
    def shown_total(self) -> list[tuple[Column, Cell]]:
        """The total's cells with their columns; empty where there is no total."""
        return list(zip(self.columns, self.total, strict=True)) if self.total else []


def text(label: str) -> Column:
    """A column of text."""
    return Column(label)


def money(label: str) -> Column:
    """A column of whole cents."""
    return Column(label, ColumnKind.MONEY)


def balance(label: str) -> Column:
    """A column of whole cents, credit below zero."""
    return Column(label, ColumnKind.BALANCE)


def count(label: str) -> Column:
    """A column of whole numbers."""
    return Column(label, ColumnKind.COUNT)


def day(label: str) -> Column:
    """A column of days."""
    return Column(label, ColumnKind.DATE)
