"""Text for spreadsheets: CSV and Excel that no program mistakes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import xlsxwriter

from .dates import us_date
from .money import Money
from .tables import Cell, Column, ColumnKind, Table

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_CENTS = (ColumnKind.MONEY, ColumnKind.BALANCE)
#: Excel takes no longer name of a sheet, and none of these characters in it.
_SHEET_NAME_LENGTH, _NOT_IN_SHEET_NAME = 31, str.maketrans(dict.fromkeys("[]:*?/\\", " "))


def safe_cell(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would run as a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def csv_text(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A CSV file of these rows; None is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heading)
    writer.writerows([safe_cell("" if cell is None else str(cell)) for cell in row] for row in rows)
    return out.getvalue()


def tables_csv(tables: Sequence[Table]) -> str:
    """Tables as one CSV file, totals included; several are told apart by their titles. Money is `-1234.50`."""
    out = io.StringIO()
    writer = csv.writer(out)
    for position, table in enumerate(tables):
        if len(tables) > 1:
            writer.writerows(([[]] if position else []) + [[safe_cell(table.title)]])
        writer.writerow([safe_cell(column.label) for column in table.columns])
        for row in _all_rows(table):
            writer.writerow([_csv_cell(*pair) for pair in zip(table.columns, row, strict=True)])
    return out.getvalue()


def tables_xlsx(tables: Sequence[Table]) -> bytes:
    """Tables as one Excel workbook, a sheet each; amounts and days are numbers and dates that Excel can reckon with."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        formats = {
            "head": book.add_format({"bold": True, "bottom": 1}),
            ColumnKind.MONEY: book.add_format({"num_format": "#,##0.00"}),
            ColumnKind.DATE: book.add_format({"num_format": "mm/dd/yyyy"}),
            ColumnKind.COUNT: book.add_format({"num_format": "#,##0"}),
        }
        for position, table in enumerate(tables, start=1):
            name = table.title.translate(_NOT_IN_SHEET_NAME)[: _SHEET_NAME_LENGTH - 3].strip() or "Table"
            _fill(book.add_worksheet(name if len(tables) == 1 else f"{position} {name}"), table, formats)
    return out.getvalue()


def _all_rows(table: Table) -> Iterable[Sequence[Cell]]:
    return (*table.rows, table.total) if table.total else table.rows


def _csv_cell(column: Column, cell: Cell) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, date):
        return us_date(value)
    if isinstance(value, int):  # made here, never typed by anybody: a minus sign stays what it is
        return Money(value).plain if column.kind in _CENTS else str(value)
    return safe_cell(value)


def _fill(sheet: Any, table: Table, formats: dict[Any, Any]) -> None:
    sheet.freeze_panes(1, 0)
    for position, column in enumerate(table.columns):
        sheet.write_string(0, position, safe_cell(column.label), formats["head"])
        sheet.set_column(position, position, 28 if column.kind is ColumnKind.TEXT else 14)
    for number, row in enumerate(_all_rows(table), start=1):
        for position, (column, cell) in enumerate(zip(table.columns, row, strict=True)):
            _write(sheet, number, position, column, cell.value, formats)


def _write(sheet: Any, row: int, position: int, column: Column, value: object, formats: dict[Any, Any]) -> None:
    if value is None:
        return
    if isinstance(value, date):
        sheet.write_datetime(row, position, value, formats[ColumnKind.DATE])
    elif isinstance(value, int):
        is_money = column.kind in _CENTS
        number = Decimal(value).scaleb(-2) if is_money else value
        sheet.write_number(row, position, number, formats[ColumnKind.MONEY if is_money else ColumnKind.COUNT])
    else:
        sheet.write_string(row, position, safe_cell(str(value)))
