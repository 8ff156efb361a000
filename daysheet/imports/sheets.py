"""From the bytes of a CSV or Excel file to rows of text, each with its number as a spreadsheet shows it."""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import python_calamine

from daysheet.kit.errors import Refusal

LARGEST_FILE_BYTES = 64 * 1024 * 1024
MOST_ROWS = 1_000_000
#: The widest template has a few dozen; every title that no template knows is told on a page.
MOST_COLUMNS = 1_000
#: An Excel file is a ZIP archive: what it unpacks to is limited too.
_LARGEST_UNPACKED_BYTES = 512 * 1024 * 1024
#: A workbook that people made unpacks to some ten times its size; what is made to fill the memory, to a thousand times.
_MOST_UNPACKED_OF_A_BYTE, _UNPACKED_AT_LEAST = 40, 16 * 1024 * 1024
_CELLS_AT_LEAST = 1_000_000
_CELL = re.compile(rb"""\br\s*=\s*["']\s*([A-Za-z]{1,7})([0-9]{1,12})\s*["']""")
_ZIP = b"PK\x03\x04"
#: What the readers say of a damaged or encrypted archive, or of one packed in a way they do not know.
_UNREADABLE = (python_calamine.CalamineError, zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError)


class UnreadableFile(Refusal):
    """The file is not a CSV file in UTF-8 or an Excel workbook, or it is too large."""

    code = "unreadable_file"


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row that is not empty. `number` counts from 1, header and empty rows included."""

    number: int
    cells: tuple[str, ...]


def read_sheet(content: bytes) -> list[SheetRow]:
    """The rows of a CSV file or of the first sheet of a workbook, header first. Raises UnreadableFile."""
    if len(content) > LARGEST_FILE_BYTES:
        raise UnreadableFile(f"The file is larger than {LARGEST_FILE_BYTES // 1024 // 1024} MB. Split it.")
    lines = _excel_lines(content) if content.startswith(_ZIP) else _csv_lines(content)
    rows: list[SheetRow] = []
    for number, cells in enumerate(lines, start=1):
        if any(cells[MOST_COLUMNS:]):
            raise UnreadableFile(f"Row {number} has more than {MOST_COLUMNS:,} columns. Compare it with the template.")
        if any(cells):
            rows.append(SheetRow(number, cells[:MOST_COLUMNS]))
        if len(rows) > MOST_ROWS + 1:
            raise UnreadableFile(f"The file has more than {MOST_ROWS:,} rows. Split it.")
    if not rows:
        raise UnreadableFile("The file is empty. Download the template to see what goes where.")
    return rows


def _csv_lines(content: bytes) -> Iterator[tuple[str, ...]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = problem.object[: problem.start].count(b"\n") + 1  # not of `content`: it may begin with a byte-order mark
        raise UnreadableFile(
            f"Line {line} is not in UTF-8. In Excel save the file as “CSV UTF-8”, or as .xlsx."
        ) from None
    if "\x00" in text:
        raise UnreadableFile("This is neither a CSV file nor an Excel workbook (.xlsx).")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            yield tuple([cell.strip() for cell in cells])
    except csv.Error as problem:
        raise UnreadableFile(f"Line {reader.line_num} is not CSV ({problem}). Mind the quotation marks.") from None


def _excel_lines(content: bytes) -> Iterator[tuple[str, ...]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            if unpacked > min(_LARGEST_UNPACKED_BYTES, _UNPACKED_AT_LEAST + len(content) * _MOST_UNPACKED_OF_A_BYTE):
                raise UnreadableFile("The workbook is too large when unpacked. Save it as CSV UTF-8 and split it.")
            _refuse_far_cells(archive, len(content))
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        lines = workbook.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except _UNREADABLE as problem:
        raise UnreadableFile(
            "The workbook cannot be read. Remove its password, or save it again as .xlsx or CSV UTF-8."
        ) from problem
    for cells in lines:
        yield tuple(_cell_text(cell) for cell in cells)


def _refuse_far_cells(archive: zipfile.ZipFile, content_bytes: int) -> None:
    """The reader allocates the whole rectangle up to the last cell, were it the only one. Each cell that holds
    something takes at least a byte of the file."""
    most_cells = _CELLS_AT_LEAST + content_bytes
    for entry in archive.infolist():
        columns = rows = 1
        rest = b""
        with archive.open(entry) as file:
            while block := file.read(1 << 20):
                for column, row in _CELL.findall(rest + block):
                    columns, rows = max(columns, _column_number(column)), max(rows, int(row))
                    if columns * rows > most_cells:
                        raise UnreadableFile(
                            f"The workbook has a cell at {column.decode()}{row.decode()}, far outside the table. Copy "
                            "the table into a new workbook, or save it as CSV UTF-8."
                        )
                rest = block[-64:]


def _column_number(letters: bytes) -> int:
    """A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _cell_text(cell: Any) -> str:
    """What a person sees in the cell, near enough: no `.0` after whole numbers, no hours at midnight."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.6f}".rstrip("0").rstrip(".")
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d}" if cell.time() == time(0) else f"{cell:%Y-%m-%d %H:%M}"
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).strip()
