"""From rows of text to values by column, with every problem named by row and column. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .cells import CellProblem
from .layouts import Column, Layout
from .sheets import SheetRow


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be taken. `str()`: `row 14, column Rate: “12,x” is not an amount …`."""

    row: int
    column: str
    words: str

    def __str__(self) -> str:
        where = f"row {self.row}, column {self.column}" if self.column else f"row {self.row}"
        return f"{where}: {self.words}"


@dataclass(slots=True)
class Row:
    """One row: its values by column name, for the columns the file has."""

    number: int
    values: dict[str, Any]
    problems: list[Problem] = field(default_factory=list)

    def object_to(self, column: Column, words: str) -> None:
        """Note a problem with one cell."""
        self.problems.append(Problem(self.number, column.label, words))


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """The columns a file has, its rows, and problems with the header (then there are no rows)."""

    layout: Layout
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    header_problems: tuple[Problem, ...] = ()


def parse_file(layout: Layout, sheet: Sequence[SheetRow]) -> ParsedFile:
    """Read every cell by its column's kind. Nothing is raised: problems stand in the rows."""
    columns, problems = _columns(layout, sheet[0])
    if problems:
        return ParsedFile(layout, (), (), tuple(problems))
    readers = [(index, column, column.name) for index, column in enumerate(columns)]
    return ParsedFile(layout, tuple(columns), tuple(_row(line, readers) for line in sheet[1:]))


def _columns(layout: Layout, header: SheetRow) -> tuple[list[Column], list[Problem]]:
    known = {_plain(name): column for column in layout.columns for name in (column.label, column.name)}
    found: list[Column] = []
    problems: list[Problem] = []
    titles = list(header.cells)
    while titles and not titles[-1]:
        titles.pop()
    for title in titles:
        column = known.get(_plain(title))
        if column is None:
            expected = ", ".join(column.label for column in layout.columns)
            problems.append(Problem(header.number, title or "(empty)", f"{layout.label} have no such column. "
                                    f"They have: {expected}"))  # fmt: skip
        elif column in found:
            problems.append(Problem(header.number, title, "it is there twice"))
        else:
            found.append(column)
    problems += [
        Problem(header.number, column.label, "this column is needed and missing")
        for column in layout.columns
        if column.required and column not in found
    ]
    return found, problems


def _row(line: SheetRow, columns: Sequence[tuple[int, Column, str]]) -> Row:
    row = Row(line.number, {})
    cells = line.cells
    for index, column, name in columns:
        text = cells[index] if index < len(cells) else ""
        if not text:
            if column.required:
                row.object_to(column, "this cell must not be empty")
            row.values[name] = column.when_empty
            continue
        try:
            row.values[name] = column.kind.parse(text)
        except CellProblem as problem:
            row.object_to(column, str(problem))
            row.values[name] = column.when_empty
    if any(cells[len(columns) :]):
        row.problems.append(Problem(line.number, "", "it has more cells than the header"))
    return row


def _plain(title: str) -> str:
    return re.sub(r"[\s_*-]+", "", title).lower()
