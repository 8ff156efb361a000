"""What one cell of an imported file may hold, by kind of column. Pure: text in, a value or a CellProblem out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from daysheet.kit.dates import NotADate, parse_date
from daysheet.kit.money import Money, NotMoney
from daysheet.kit.npi import is_npi

_YES, _NO = {"yes", "y", "true", "1", "x"}, {"no", "n", "false", "0"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
_MODIFIER = re.compile(r"^[A-Z0-9]{2}$")
_CLOCK = re.compile(r"^(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s*([AaPp])\.?[Mm]\.?)?$")
_EARLIEST, _LATEST = date(1900, 1, 1), date(2199, 12, 31)


class CellProblem(ValueError):
    """The text of a cell does not fit its column; `str()` is what people read after "row 14, column Rate: "."""


@dataclass(frozen=True, slots=True)
class Text:
    """Words of at most `longest` characters."""

    longest: int
    empty: Any = ""

    @property
    def words(self) -> str:
        return f"text, up to {self.longest} characters"

    def parse(self, text: str) -> str:
        if len(text) > self.longest:
            raise CellProblem(f"“{text[:30]}…” has {len(text)} characters; at most {self.longest} fit")
        if _CONTROL.search(text):
            raise CellProblem("it has a line break or another control character")
        return text


@dataclass(frozen=True, slots=True)
class Code:
    """Text of a fixed shape (a state, a ZIP code); `upper` puts it into capitals first."""

    pattern: str
    words: str
    upper: bool = False
    empty: Any = ""

    def parse(self, text: str) -> str:
        given = text.upper() if self.upper else text
        if not re.fullmatch(self.pattern, given):
            raise CellProblem(f"“{text[:40]}” is not {self.words}")
        return given


@dataclass(frozen=True, slots=True)
class PostalCode:
    """A ZIP code. Spreadsheets drop the zeros in front of `02138`; they are put back."""

    words: str = "a ZIP code such as 02138 or 02138-1234"
    empty: Any = ""

    def parse(self, text: str) -> str:
        given = text.zfill(5) if text.isdecimal() and 3 <= len(text) < 5 else text
        if not re.fullmatch(r"[0-9]{5}(-?[0-9]{4})?", given):
            raise CellProblem(f"“{text[:40]}” is not {self.words}")
        return given


@dataclass(frozen=True, slots=True)
class Email:
    """An e-mail address, kept in small letters."""

    words: str = "an e-mail address"
    empty: Any = ""

    def parse(self, text: str) -> str:
        if len(text) > 254 or not _EMAIL.match(text):
            raise CellProblem(f"“{text[:60]}” is not an e-mail address")
        return text.lower()


@dataclass(frozen=True, slots=True)
class Npi:
    """A National Provider Identifier with its check digit."""

    words: str = "an NPI: ten digits"
    empty: Any = ""

    def parse(self, text: str) -> str:
        if not is_npi(text):
            raise CellProblem(f"“{text[:40]}” is not an NPI: its ten digits or its check digit are wrong")
        return text


@dataclass(frozen=True, slots=True)
class Day:
    """A date, as the practice's calendar has it."""

    words: str = "a date: 2026-11-23 or 11/23/2026"
    empty: Any = None

    def parse(self, text: str) -> date:
        try:
            day = parse_date(text)
        except NotADate as problem:
            raise CellProblem(str(problem)) from None
        if not _EARLIEST <= day <= _LATEST:
            raise CellProblem(f"“{text}” is before 1900 or after 2199")
        return day


@dataclass(frozen=True, slots=True)
class WallTime:
    """A date and a clock time in practice time, without a zone. The value is a naive datetime."""

    words: str = "date and time of the practice’s clock: 2026-11-23 14:30 or 11/23/2026 2:30 PM"
    empty: Any = None

    def parse(self, text: str) -> datetime:
        day_text, _, clock = text.replace("T", " ", 1).partition(" ")
        match = _CLOCK.match(clock.strip())
        if match is None:
            raise CellProblem(f"“{text[:40]}” is not a date and time such as 11/23/2026 2:30 PM")
        day = Day().parse(day_text)
        hour, minute, half = int(match[1]), int(match[2]), (match[4] or "").lower()
        if half:
            hour = hour % 12 + (12 if half == "p" else 0) if 1 <= hour <= 12 else 99
        if hour > 23 or minute > 59:
            raise CellProblem(f"“{clock}” is not a time of day")
        return datetime(day.year, day.month, day.day, hour, minute)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number between `least` and `most`."""

    least: int
    most: int
    empty: Any = None

    @property
    def words(self) -> str:
        return f"a whole number from {self.least} to {self.most:,}"

    def parse(self, text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text) or not self.least <= int(text) <= self.most:
            raise CellProblem(f"“{text[:40]}” is not a whole number from {self.least} to {self.most:,}")
        return int(text)


@dataclass(frozen=True, slots=True)
class Amount:
    """Dollars and cents; the value is whole cents. `signed` allows a minus."""

    signed: bool = False
    empty: Any = None

    @property
    def words(self) -> str:
        return "an amount: 125.00 or $1,250.00" + ("; −20.00 is credit" if self.signed else "")

    def parse(self, text: str) -> int:
        try:
            cents = Money.parse(text).cents
        except NotMoney as problem:
            raise CellProblem(str(problem)) from None
        if cents < 0 and not self.signed:
            raise CellProblem(f"“{text}” is less than nothing")
        return cents


@dataclass(frozen=True, slots=True)
class YesNo:
    """Yes or no."""

    words: str = "yes or no"
    empty: Any = False

    def parse(self, text: str) -> bool:
        given = text.lower()
        if given not in _YES | _NO:
            raise CellProblem(f"“{text[:40]}” is neither yes nor no")
        return given in _YES


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few labels; `labels` maps what people write to what is stored. Either is read, whatever its capitals."""

    labels: Mapping[str, str]
    empty: Any = ""

    @property
    def words(self) -> str:
        return " / ".join(self.labels)

    def parse(self, text: str) -> str:
        given = _plain(text)
        for label, value in self.labels.items():
            if given in (_plain(label), _plain(value)):
                return value
        raise CellProblem(f"“{text[:40]}” is none of {', '.join(self.labels)}")


@dataclass(frozen=True, slots=True)
class Modifiers:
    """Two-character modifiers, at most four, separated by spaces or commas."""

    empty: Any = None
    words: str = "up to four modifiers: 95 HO"

    def parse(self, text: str) -> list[str]:
        parts = [part.upper() for part in re.split(r"[,;\s]+", text) if part]
        if len(parts) > 4 or not all(_MODIFIER.match(part) for part in parts):
            raise CellProblem(f"“{text[:40]}” are not modifiers of two letters or digits, at most four")
        return parts


@dataclass(frozen=True, slots=True)
class Reference:
    """The ID of a row of another template (`kind`), or what else such rows are `known_by`."""

    kind: str
    empty: Any = None
    known_by: str = ""

    @property
    def words(self) -> str:
        return f"an ID of `{self.kind}`" + (f", or its {self.known_by}" if self.known_by else "")

    def parse(self, text: str) -> str:
        return Text(100).parse(text)

    def missing(self, key: str) -> str:
        """What is said of an ID that is not there."""
        return _missing(self.kind, key, self.known_by)


@dataclass(frozen=True, slots=True)
class References:
    """IDs of rows of another template, separated by semicolons."""

    kind: str
    empty: Any = ()

    @property
    def words(self) -> str:
        return f"IDs of `{self.kind}`, separated by semicolons"

    def parse(self, text: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(Text(100).parse(part.strip()) for part in text.split(";") if part.strip()))

    def missing(self, key: str) -> str:
        """What is said of an ID that is not there."""
        return _missing(self.kind, key)


CellKind = (
    Text | Code | PostalCode | Email | Npi | Day | WallTime | Whole | Amount | YesNo | Choice | Modifiers | Reference
    | References
)  # fmt: skip


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", "", text).lower()


def _missing(kind: str, key: str, known_by: str = "") -> str:
    wrong = f"ID or {known_by}" if known_by else "ID"
    return f"there is no “{key}” among the {kind.replace('_', ' ')}. Import {kind} first, or correct the {wrong}"
