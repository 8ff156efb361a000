"""What is no readable sheet is refused with words: what is made to fill the memory (before anything is unpacked), and
another encoding."""

from __future__ import annotations

import codecs
import io
import time
import zipfile

import pytest
import xlsxwriter

from daysheet.imports.sheets import MOST_COLUMNS, UnreadableFile, read_sheet

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def workbook(sheet: str, extra: bytes = b"") -> bytes:
    """What looks like a workbook, with this XML as its sheet's data."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {_MAIN} xmlns:r="{_RELS}"><sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
            f'Type="{_RELS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        archive.writestr("xl/worksheets/sheet1.xml", f"<worksheet {_MAIN}><sheetData>{sheet}</sheetData></worksheet>")
        if extra:
            archive.writestr("xl/media/extra.bin", extra)
    return file.getvalue()


def cell(place: str) -> str:
    return f'<row><c r="{place}" t="str"><v>x</v></c></row>'


def test_a_real_workbook_with_one_far_cell_is_refused() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "Name")
        sheet.write(1_048_575, 16_383, "x")
    with pytest.raises(UnreadableFile, match="XFD1048576, far outside"):
        read_sheet(file.getvalue())


def test_a_row_without_end_is_refused_and_empty_ends_are_not() -> None:
    """A preview would tell each title that no template knows: a million made a page of 300 MB."""
    for rows in (",".join(f"c{n}" for n in range(1_000_000)), "ID\n" + "x," * MOST_COLUMNS + "x"):
        with pytest.raises(UnreadableFile, match=r"Row \d has more than 1,000 columns"):
            read_sheet(rows.encode())
    (row,) = read_sheet(b"ID" + b"," * 20_000)
    assert row.cells[0] == "ID" and len(row.cells) == MOST_COLUMNS


@pytest.mark.parametrize("place", ["XFD1048576", "GR10000", "xfd500", "A9999999"])
def test_a_cell_in_a_far_corner_is_not_reached_for(place: str) -> None:
    began = time.perf_counter()
    with pytest.raises(UnreadableFile, match="far outside"):
        read_sheet(workbook(cell("A1") + cell(place)))
    assert time.perf_counter() - began < 5


def test_a_place_on_the_border_of_two_blocks_is_seen() -> None:
    for more in range(40):
        filler = " " * ((1 << 20) - 200 + more * 4)
        with pytest.raises(UnreadableFile, match="far outside"):
            read_sheet(workbook(filler + cell("XFD1048576"), extra=b"".join(n.to_bytes(4) for n in range(9_000))))


def test_what_unpacks_to_a_thousand_times_its_size_is_not_unpacked() -> None:
    with pytest.raises(UnreadableFile, match="too large when unpacked"):
        read_sheet(workbook(cell("A1"), extra=b"0" * 40_000_000))


def test_what_lies_about_its_size_is_refused() -> None:
    content = bytearray(workbook(cell("A1"), extra=b"0" * 40_000_000))
    true_size = (40_000_000).to_bytes(4, "little")
    assert content.count(true_size) == 2
    with pytest.raises(UnreadableFile):
        read_sheet(bytes(content.replace(true_size, (1000).to_bytes(4, "little"))))


def test_a_large_table_of_people_is_read() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for row in range(20_000):
            sheet.write_row(row, 0, [f"Name {row}", row, "same", "same", "", "", "last"])
    assert len(read_sheet(file.getvalue())) == 20_000


def test_a_damaged_encrypted_or_strangely_packed_workbook_is_refused_in_words() -> None:
    good = workbook(cell("A1"))
    data = good.index(b"xl/worksheets/sheet1.xml") + len("xl/worksheets/sheet1.xml")
    damaged = good[:data] + b"\xff" * 20 + good[data + 20 :]
    for flaw in (damaged, _with_header(good, 6, 8, b"\x01"), _with_header(good, 8, 10, b"\x09")):
        with pytest.raises(UnreadableFile, match="cannot be read"):
            read_sheet(flaw)


def _with_header(archive: bytes, local: int, central: int, byte: bytes) -> bytes:
    """Every entry with this byte in both of its headers: 6 and 8 are the flags, 8 and 10 the way it is packed."""
    changed = bytearray(archive)
    for mark, offset in ((b"PK\x03\x04", local), (b"PK\x01\x02", central)):
        at = archive.find(mark)
        while at >= 0:
            changed[at + offset : at + offset + 1] = byte
            at = archive.find(mark, at + 1)
    return bytes(changed)


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_the_line_of_another_encoding_is_named_also_behind_a_byte_order_mark(mark: bytes) -> None:
    with pytest.raises(UnreadableFile, match="Line 2 is not in UTF-8"):
        read_sheet(mark + "ID,Name\nMüller,x\n".encode("latin-1"))
