"""Files of tables: amounts are numbers, days are days, and no text is run as a formula."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from daysheet.kit.spreadsheets import safe_cell, tables_csv, tables_xlsx
from daysheet.kit.tables import Cell, Table, balance, count, day, money, text

HOSTILE = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1")


def _table(name: str, title: str = "Owed") -> Table:
    row = (Cell(name), Cell(date(2026, 11, 2)), Cell(3), Cell(-123456), Cell(-5), Cell(None))
    columns = (text("Name"), day("Day"), count("Visits"), money("Due"), balance("Balance"), text("Note"))
    total = (Cell("Total"), Cell(None), Cell(3), Cell(-123456), Cell(-5), Cell(None))
    return Table(title, columns, (row,), total)


def _csv(content: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content)))


def test_a_csv_file_holds_plain_amounts_and_its_total() -> None:
    assert _csv(tables_csv([_table("Ruiz, Ana")])) == [
        ["Name", "Day", "Visits", "Due", "Balance", "Note"],
        ["Ruiz, Ana", "11/02/2026", "3", "-1234.56", "-0.05", ""],
        ["Total", "", "3", "-1234.56", "-0.05", ""],
    ]


def test_an_excel_file_holds_numbers_and_days() -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(tables_xlsx([_table("Ruiz, Ana")])))
    assert book.sheet_names == ["Owed"]
    assert book.get_sheet_by_index(0).to_python()[1][:5] == ["Ruiz, Ana", date(2026, 11, 2), 3.0, -1234.56, -0.05]


@pytest.mark.parametrize("name", HOSTILE)
def test_what_looks_like_a_formula_stays_text(name: str) -> None:
    assert safe_cell(name) == f"'{name}"
    assert _csv(tables_csv([_table(name, title=name), _table("x")]))[0] == [f"'{name}"]
    assert _csv(tables_csv([_table(name)]))[1][0].startswith("'")
    book = CalamineWorkbook.from_filelike(io.BytesIO(tables_xlsx([_table(name)])))
    assert str(book.get_sheet_by_index(0).to_python()[1][0]).startswith("'")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_no_cell_of_any_text_begins_a_formula(name: str) -> None:
    assert not safe_cell(name).startswith(("=", "+", "-", "@"))


def test_several_tables_are_told_apart_whatever_they_are_called() -> None:
    tables = [_table("a", "By person/provider: [all]?"), _table("b", "x" * 60), _table("c", "x" * 60)]
    assert _csv(tables_csv(tables))[4:6] == [[], ["x" * 60]]
    names = CalamineWorkbook.from_filelike(io.BytesIO(tables_xlsx(tables))).sheet_names
    assert len(set(names)) == 3
    assert max(map(len, names)) <= 31
