"""What a document says, ready to be set: one `Paper`, from which both the PDF and the print page are made.

A paper knows no markup and no amounts that still have to be reckoned: every figure is text already, every text is text.
So a document cannot say one thing on screen and another on paper.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID


class Kind(StrEnum):
    """The kinds of documents (D1); the value is stored."""

    INVOICE = "invoice"
    RECEIPT = "receipt"
    STATEMENT = "statement"
    SUPERBILL = "superbill"
    ESTIMATE = "estimate"

    @property
    def label(self) -> str:
        return "Good Faith Estimate" if self is Kind.ESTIMATE else self.value.capitalize()


class Holds(StrEnum):
    """What a column holds: amounts and counts stand right."""

    TEXT = "text"
    DATE = "date"
    NUMBER = "number"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class Column:
    """`share`: its part of the width that is left; 0 is as wide as its content."""

    label: str
    holds: Holds = Holds.TEXT
    share: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, and a smaller one below it."""

    text: str
    small: str = ""


@dataclass(frozen=True, slots=True)
class Sum:
    """A row under a table: `amounts` stand in its last columns."""

    label: str
    amounts: tuple[str, ...]
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table whose heading row repeats on every page."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    sums: tuple[Sum, ...] = ()
    note: str = ""
    block: str = field(default="grid", init=False)


@dataclass(frozen=True, slots=True)
class Facts:
    """Labelled facts, one a line."""

    title: str
    pairs: tuple[tuple[str, str], ...]
    block: str = field(default="facts", init=False)


@dataclass(frozen=True, slots=True)
class Words:
    """Paragraphs."""

    title: str
    paragraphs: tuple[str, ...]
    block: str = field(default="words", init=False)


Block = Grid | Facts | Words


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes. `pay_to_source` says whose address it is (D2)."""

    name: str
    lines: tuple[str, ...]
    pay_to_source: str
    colour: str
    logo_id: UUID | None = None
    logo_png: bytes | None = None
    logo_alt: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a paper is of: an invoice, a payment, an estimate, or the days from first to last, both included."""

    invoice_id: UUID | None = None
    payment_id: UUID | None = None
    estimate_id: UUID | None = None
    first_on: date | None = None
    last_on: date | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """One document of one client.

    `identity` stands on every page beside its number. `headline` is the one figure to see first. `has_window`: the
    address shows in a #10 window envelope.
    """

    kind: Kind
    client_id: UUID
    title: str
    identity: str
    letterhead: Letterhead
    addressee: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    blocks: tuple[Block, ...]
    headline: tuple[str, str] | None = None
    banner: str = ""
    has_window: bool = False
    subject: Subject = Subject()

    @property
    def row_count(self) -> int:
        """Rows of its tables: how much there is to set."""
        return sum(len(block.rows) for block in self.blocks if isinstance(block, Grid))


#: Not text: control characters, and marks that turn the direction of what follows them (a name could turn an amount).
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]"
)
_SPACE = re.compile(r"\s+")
#: What is longer than this without a space gets places where a line may break.
_LONGEST_WORD = 24
_LONG_WORD = re.compile(rf"\S{{{_LONGEST_WORD + 1},}}")
BREAK = "\u200b"


def one_line(typed: str) -> str:
    """Text as a person typed it, on one line: signs that cannot be printed show as �, line ends are spaces, and a very
    long word may break."""
    shown = _CONTROL.sub("\ufffd", _SPACE.sub(" ", typed).strip())
    return _LONG_WORD.sub(lambda word: _breakable(word.group()), shown)


def text_lines(typed: str) -> tuple[str, ...]:
    """The lines of a text, each fit to print; empty ones are left out."""
    return tuple(line for line in (one_line(line) for line in typed.splitlines()) if line)


def _breakable(word: str) -> str:
    return BREAK.join(word[start : start + 8] for start in range(0, len(word), 8))
