"""Puts PDFs that typst wrote one after the other, tags included, holding only one of them in memory.

Reads exactly what typst writes: a classic cross-reference table, no object streams, generation 0. Objects are copied
as they are and only renumbered; the page tree, the structure tree and the bookmarks are written anew. Tests open the
result with two other readers and check it as PDF/UA.
"""

from __future__ import annotations

import hashlib
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

_REFERENCE_KEY_OR_STRING = re.compile(rb"(?<![\w.])(\d+) 0 R(?!\w)|/StructParents? (\d+)|\(")
_STRING_PART = re.compile(rb"[()]|\\.", re.DOTALL)
_CELL_ID = re.compile(rb"\(U\d+x\d+y\d+\)")
_STREAM = b"\nstream\n"
_PAGES_NUMBER = re.compile(rb"(<xmpTPg:NPages>)\d+(?=<)")


class NotTypst(ValueError):
    """The file is not written the way this module reads."""


class TypstFile:
    """The objects of one PDF, by number, and the roots that a merger must know."""

    def __init__(self, pdf: bytes) -> None:
        self._objects, self.trailer = _read(pdf)
        self.catalog = self[_reference(self.trailer, b"Root")]
        self.pages_root = _reference(self.catalog, b"Pages")
        self.tree_root = _reference(self.catalog, b"StructTreeRoot")
        self.outlines = _reference(self.catalog, b"Outlines")
        self.pages = [int(page) for page in re.findall(rb"(\d+) 0 R", _array(self[self.pages_root], b"Kids"))]

    def __getitem__(self, number: int) -> bytes:
        return self._objects[number]

    def numbers(self) -> Sequence[int]:
        """Of all objects, in the order of the file."""
        return list(self._objects)

    def first_pages(self) -> list[int]:
        """Where each paper begins, counted from 0: each has one bookmark of the first level."""
        return [self._page_of(item) for item in self._items(self.outlines)]

    def bookmark_numbers(self) -> set[int]:
        """The objects of all bookmarks, of every level."""
        found = {self.outlines}
        below = [self.outlines]
        while below:
            items = self._items(below.pop())
            found.update(items)
            below += [item for item in items if b"/First " in self[item]]
        return found

    def _items(self, parent: int) -> list[int]:
        items = [_reference(self[parent], b"First")]
        while b"/Next " in self[items[-1]]:
            items.append(_reference(self[items[-1]], b"Next"))
        return items

    def _page_of(self, item: int) -> int:
        target = re.match(rb"\[(\d+) 0 R", self[_reference(self[item], b"Dest")])
        if target is None:
            raise NotTypst("a bookmark leads to no page")
        return self.pages.index(int(target[1]))


@dataclass(slots=True)
class _Leaf:
    """A leaf of a number or name tree: its object and the keys it spans."""

    number: int
    first: bytes
    last: bytes


class PdfWriter:
    """Appends PDFs to a file. Of each part it keeps a few numbers only."""

    def __init__(self, to: BinaryIO) -> None:
        self._to = to
        self._digest = hashlib.sha256()
        self._position = 0
        self._offsets = array("Q", [0])
        self._page_count = self._key_count = self._part_count = 0
        self._page_trees: list[int] = []
        self._documents: list[int] = []
        self._parents: list[_Leaf] = []
        self._cell_ids: list[_Leaf] = []
        self._bookmarks: list[tuple[str, int]] = []
        self._first: TypstFile | None = None
        self._put(b"%PDF-1.7\n%\x80\x80\x80\x80\n\n")
        # Parts refer to these; they are written last.
        self._root, self._tree, self._top = self._take(), self._take(), self._take()

    def append(self, pdf: bytes, names: Sequence[str]) -> list[int]:
        """Adds the pages of one file; `names` are its papers' for the bookmarks. Returns each paper's page count."""
        part = TypstFile(pdf)
        starts = part.first_pages()
        if len(starts) != len(names):
            raise NotTypst(f"{len(names)} papers, but {len(starts)} bookmarks")
        self._first = self._first or part
        new = self._renumbered(part)
        for number, target in new.items():
            if number not in (part.pages_root, part.tree_root):
                self._put_object(target, self._rewritten(part[number], new))
        self._put_pages(part, new)
        self._put_tree(part, new)
        self._bookmarks += [(name, new[part.pages[start]]) for name, start in zip(names, starts, strict=True)]
        self._page_count += len(part.pages)
        self._part_count += 1
        return [end - start for start, end in zip(starts, [*starts[1:], len(part.pages)], strict=True)]

    def finish(self) -> None:
        """Writes what holds the parts together. Raises NotTypst where there are none."""
        if self._first is None:
            raise NotTypst("there is no part")
        kids = b" ".join(b"%d 0 R" % number for number in self._page_trees)
        self._put_object(self._root, b"<</Type/Pages/Count %d/Kids[%s]>>" % (self._page_count, kids))
        self._finish_tree(self._first)
        self._finish_file(self._first, self._finish_bookmarks())

    # One part

    def _renumbered(self, part: TypstFile) -> dict[int, int]:
        """{old number: new number} of the objects that are copied or written anew under another parent."""
        left_out = part.bookmark_numbers() | {
            _reference(part.trailer, b"Root"), _reference(part.trailer, b"Info"), _reference(part.catalog, b"Metadata"),
        }  # fmt: skip
        new = {number: self._take() for number in part.numbers() if number not in left_out | {part.tree_root}}
        new[part.tree_root] = self._top
        return new

    def _rewritten(self, body: bytes, new: dict[int, int]) -> bytes:
        """The object with its references and structure keys moved. Strings and streams stay, but for cells' ids."""
        head, stream, content = body.partition(_STREAM)
        pieces: list[bytes] = []
        at = 0
        while found := _REFERENCE_KEY_OR_STRING.search(head, at):
            pieces.append(head[at : found.start()])
            at = found.end()
            if found[1]:
                pieces.append(b"%d 0 R" % new[int(found[1])])
            elif found[2]:
                key = found.group()
                pieces.append(key[: key.index(b" ")] + b" %d" % (int(found[2]) + self._key_count))
            else:
                at = _string_end(head, at)
                pieces.append(self._own_id(head[found.start() : at]))
        return b"".join([*pieces, head[at:], stream, content])

    def _own_id(self, text: bytes) -> bytes:
        """Cells are named alike in every part; here each part's begin with its number."""
        return b"(P%06d%s" % (self._part_count, text[1:]) if _CELL_ID.fullmatch(text) else text

    def _put_pages(self, part: TypstFile, new: dict[int, int]) -> None:
        tree = new[part.pages_root]
        kids = b" ".join(b"%d 0 R" % new[page] for page in part.pages)
        parent = b"<</Type/Pages/Parent %d 0 R/Count %d/Kids[%s]>>" % (self._root, len(part.pages), kids)
        self._put_object(tree, parent)
        self._page_trees.append(tree)

    def _put_tree(self, part: TypstFile, new: dict[int, int]) -> None:
        tree = part[part.tree_root]
        self._documents += [new[int(kid)] for kid in re.findall(rb"(\d+) 0 R", _array(tree, b"K"))]
        parents = re.findall(rb"(\d+) (\d+) 0 R", _array(tree, b"Nums"))
        moved = [(int(key) + self._key_count, new[int(number)]) for key, number in parents]
        leaf = self._leaf(b"%d" % moved[0][0], b"%d" % moved[-1][0], b"Nums", [b"%d %d 0 R" % pair for pair in moved])
        self._parents.append(leaf)
        self._key_count += int(_value(tree, b"ParentTreeNextKey"))
        cells = re.findall(rb"(\([^()]*\))(\d+) 0 R", _array(tree, b"Names")) if b"/IDTree" in tree else []
        if cells:
            named = sorted((self._own_id(name), new[int(number)]) for name, number in cells)
            pairs = [b"%s %d 0 R" % pair for pair in named]
            self._cell_ids.append(self._leaf(named[0][0], named[-1][0], b"Names", pairs))

    def _leaf(self, first: bytes, last: bytes, kind: bytes, pairs: list[bytes]) -> _Leaf:
        number = self._take()
        self._put_object(number, b"<</Limits[%s %s]/%s[%s]>>" % (first, last, kind, b" ".join(pairs)))
        return _Leaf(number, first, last)

    # What holds the parts together

    def _finish_tree(self, first: TypstFile) -> None:
        documents = b" ".join(b"%d 0 R" % number for number in self._documents)
        top = b"<</Type/StructElem/S/Document/P %d 0 R/K[%s]>>" % (self._tree, documents)
        self._put_object(self._top, top)
        roles = re.search(rb"/RoleMap<<.*?>>", first[first.tree_root])
        ids = b"/IDTree<</Kids[%s]>>" % _kids(self._cell_ids) if self._cell_ids else b""
        self._put_object(
            self._tree,
            b"<</Type/StructTreeRoot%s/K[%d 0 R]/ParentTree<</Kids[%s]>>%s/ParentTreeNextKey %d>>"
            % (roles.group() if roles else b"", self._top, _kids(self._parents), ids, self._key_count),
        )

    def _finish_bookmarks(self) -> int:
        outlines = self._take()
        items = [self._take() for _ in self._bookmarks]
        for place, (name, page) in enumerate(self._bookmarks):
            around = b"/Prev %d 0 R" % items[place - 1] if place else b""
            around += b"/Next %d 0 R" % items[place + 1] if place + 1 < len(items) else b""
            title = b"<" + (b"\xfe\xff" + name.encode("utf-16-be", "replace")).hex().encode() + b">"
            self._put_object(
                items[place], b"<</Parent %d 0 R%s/Title%s/Dest[%d 0 R/Fit]>>" % (outlines, around, title, page)
            )
        whole = b"<</Type/Outlines/First %d 0 R/Last %d 0 R/Count %d>>" % (items[0], items[-1], len(items))
        self._put_object(outlines, whole)
        return outlines

    def _finish_file(self, first: TypstFile, outlines: int) -> None:
        info, metadata, catalog = self._take(), self._take(), self._take()
        self._put_object(info, first[_reference(first.trailer, b"Info")])
        _, _, content = first[_reference(first.catalog, b"Metadata")].partition(_STREAM)
        xmp = _PAGES_NUMBER.sub(rb"\g<1>%d" % self._page_count, content.removesuffix(b"\nendstream"))
        head = b"<</Length %d/Type/Metadata/Subtype/XML>>" % len(xmp)
        self._put_object(metadata, head + _STREAM + xmp + b"\nendstream")
        own = {
            first.pages_root: self._root,
            first.tree_root: self._tree,
            first.outlines: outlines,
            _reference(first.catalog, b"Metadata"): metadata,
        }
        self._put_object(catalog, self._rewritten(first.catalog, own))
        start = self._position
        self._put(b"xref\n0 %d\n0000000000 65535 f\r\n" % len(self._offsets))
        for offset in self._offsets[1:]:
            self._put(b"%010d 00000 n\r\n" % offset)
        name = self._digest.hexdigest()[:32].encode()
        self._put(
            b"trailer\n<</Size %d/Root %d 0 R/Info %d 0 R/ID[<%s><%s>]>>\nstartxref\n%d\n%%%%EOF"
            % (len(self._offsets), catalog, info, name, name, start)
        )

    def _take(self) -> int:
        self._offsets.append(0)
        return len(self._offsets) - 1

    def _put_object(self, number: int, body: bytes) -> None:
        self._offsets[number] = self._position
        self._put(b"%d 0 obj\n%s\nendobj\n" % (number, body))

    def _put(self, content: bytes) -> None:
        self._to.write(content)
        self._digest.update(content)
        self._position += len(content)


def _read(pdf: bytes) -> tuple[dict[int, bytes], bytes]:
    """The objects by number, in the order of the file, and the trailer."""
    end = re.search(rb"startxref\s+(\d+)\s+%%EOF\s*$", pdf[-64:])
    table = int(end[1]) if end else -1
    if table < 0 or not pdf.startswith(b"xref\n0 ", table):
        raise NotTypst("the file has no classic cross-reference table")
    trailer_at = pdf.index(b"trailer", table)
    entries = re.findall(rb"(\d{10}) (\d{5}) ([nf])\s\s", pdf[table:trailer_at])
    starts = sorted((int(offset), number) for number, (offset, _, kind) in enumerate(entries) if kind == b"n")
    objects = {}
    for (start, number), (stop, _) in zip(starts, [*starts[1:], (table, 0)], strict=True):
        opening = b"%d 0 obj\n" % number
        body = pdf[start:stop].rstrip().removesuffix(b"endobj").rstrip(b"\n")
        if not body.startswith(opening):
            raise NotTypst(f"object {number} is not where the table says")
        objects[number] = body[len(opening) :]
    return objects, pdf[trailer_at:]


def _string_end(head: bytes, at: int) -> int:
    """Where the string ends whose opening parenthesis stands before `at`."""
    depth = 1
    while depth:
        part = _STRING_PART.search(head, at)
        if part is None:
            raise NotTypst("a string without an end")
        depth += {b"(": 1, b")": -1}.get(part.group(), 0)
        at = part.end()
    return at


def _reference(holder: bytes, key: bytes) -> int:
    found = re.search(rb"/" + key + rb" (\d+) 0 R", holder)
    if found is None:
        raise NotTypst(f"no /{key.decode()} where one must be")
    return int(found[1])


def _array(holder: bytes, key: bytes) -> bytes:
    found = re.search(rb"/" + key + rb"\[([^\[\]]*)\]", holder)
    if found is None:
        raise NotTypst(f"no /{key.decode()} where one must be")
    return found[1]


def _value(holder: bytes, key: bytes) -> bytes:
    found = re.search(rb"/" + key + rb" (\d+)", holder)
    if found is None:
        raise NotTypst(f"no /{key.decode()} where one must be")
    return found[1]


def _kids(leaves: list[_Leaf]) -> bytes:
    return b" ".join(b"%d 0 R" % leaf.number for leaf in leaves)
