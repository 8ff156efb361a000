"""Decisions about clients: which coverage is in force, which income counts, what the search box looks in, how a
diagnosis is written.

No database, no clock. Ranges of dates are half open: `starts_on <= day < ends_on`, and no `ends_on` means no end.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

#: CMS-1500 box 21 and 837P HI hold this many diagnoses.
MOST_DIAGNOSES = 12
_DIAGNOSIS = re.compile(r"^([A-Z][0-9][0-9A-Z])\.?([0-9A-Z]{0,4})$")
_DATE_WORD = re.compile(r"^\d{1,2}[/-](\d{1,2}([/-]\d{0,4})?)?$|^\d{4}-(\d{1,2}(-\d{0,2})?)?$")
_PHONE_WORD = re.compile(r"^[+(]?[\d().+-]*\d[\d().+-]*$")
#: A prefix of the country is not part of a number as practices write it.
_COUNTRY = re.compile(r"^1(?=\d{10}$)")


@dataclass(frozen=True, slots=True)
class CoverageFacts:
    """What decides whether a policy pays on a day, and how much of it is the client's."""

    id: UUID
    payer_id: UUID
    rank: int
    copay_cents: int | None
    starts_on: date
    ends_on: date | None


def in_force(starts_on: date, ends_on: date | None, day: date) -> bool:
    """Whether a half-open range holds `day`."""
    return starts_on <= day and (ends_on is None or day < ends_on)


def ranges_overlap(one: tuple[date, date | None], other: tuple[date, date | None]) -> bool:
    """Whether two half-open ranges have a day in common."""
    return (one[1] is None or other[0] < one[1]) and (other[1] is None or one[0] < other[1])


def coverage_on(coverages: Iterable[CoverageFacts], day: date) -> CoverageFacts | None:
    """The coverage that pays first on `day`: the lowest rank in force; among equals the one that began last (I1)."""
    standing = [coverage for coverage in coverages if in_force(coverage.starts_on, coverage.ends_on, day)]
    return min(standing, key=lambda c: (c.rank, -c.starts_on.toordinal(), str(c.id))) if standing else None


@dataclass(frozen=True, slots=True)
class IncomeFacts:
    """What a client gave on a day: yearly income of the household in cents, None where it was taken back.

    Counts on `given_on <= day < renew_on`; `renew_on` None: until another is given.
    """

    yearly_cents: int | None
    household_size: int
    given_on: date
    renew_on: date | None


def yearly_cents(cents: int, period: str) -> int:
    """A monthly income twelve times; a yearly one as it is."""
    return cents * 12 if period == "month" else cents


def income_on(incomes: Sequence[IncomeFacts], day: date) -> IncomeFacts | None:
    """The income that counts on `day`: the newest given by then, unless it was taken back or has to be renewed (B10).

    `incomes` in the order in which they were given and recorded. An older one never comes back when a newer expires.
    """
    newest = newest_income(incomes, day)
    if newest is None or newest.yearly_cents is None or not in_force(newest.given_on, newest.renew_on, day):
        return None
    return newest


def newest_income(incomes: Sequence[IncomeFacts], day: date) -> IncomeFacts | None:
    """The newest income given by `day`, whether it still counts or not."""
    given = [income for income in incomes if income.given_on <= day]
    return given[-1] if given else None


def diagnosis_code(typed: str) -> str | None:
    """An ICD-10-CM code in its written form, `f411` → `F41.1`; None where it cannot be one."""
    match = _DIAGNOSIS.match(re.sub(r"\s", "", typed).upper())
    if match is None:
        return None
    category, rest = match.groups()
    return f"{category}.{rest}" if rest else category


def address_lines(address_1: str, address_2: str, city: str, state: str, postal_code: str) -> tuple[str, ...]:
    """An address as an envelope has it, without empty lines."""
    region = " ".join(part for part in (state, postal_code) if part)
    town = ", ".join(part for part in (city, region) if part)
    return tuple(line for line in (address_1, address_2, town) if line)


def search_text_of(*, names: Iterable[str], birth_on: date | None, phones: Iterable[str]) -> str:
    """What `Client.search_text` holds: folded names, the birth date as people type it, digits of the phones.

    Every token has a space before it, so that "begins with" is a search for space and word.
    """
    tokens: dict[str, None] = {}
    for name in names:
        words = fold(name).split()
        tokens.update(dict.fromkeys(words))
        if len(words) > 1:
            tokens["".join(words)] = None
    if birth_on:
        tokens.update(dict.fromkeys(_date_tokens(birth_on)))
    tokens.update(dict.fromkeys(_COUNTRY.sub("", _digits(phone)) for phone in phones if _digits(phone)))
    return "".join(f" {token}" for token in tokens)


def search_patterns(text: str) -> list[str]:
    """The substrings of `search_text` that must all be there. A date begins a token; a name may be found inside one."""
    patterns: list[str] = []
    for word in text.replace(",", " ").split():
        if _DATE_WORD.match(word):
            year_first = len(word.split("-")[0]) == 4
            patterns.append(f" {word}" if year_first else f" {word.replace('-', '/')}")
        elif _PHONE_WORD.match(word):
            digits = _digits(word)
            if not (word.startswith("+") and digits == "1"):
                patterns.append(_COUNTRY.sub("", digits))
        else:
            patterns += fold(word).split()
    return patterns


def fold(text: str) -> str:
    """Lower case without accents, apostrophes and full stops; hyphens are spaces: `O’Brien-Núñez` → `obrien nunez`."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return re.sub(r"[\s\-‐-―/(),]+", " ", re.sub(r"['’‘`.]", "", plain.casefold())).strip()


def _date_tokens(day: date) -> list[str]:
    """11/23/1980 in every spelling people type it: with and without leading zeros, slashes and century."""
    month, day_of_month, year = f"{day.month:02d}", f"{day.day:02d}", f"{day.year:04d}"
    return [
        f"{month}/{day_of_month}/{year}",
        f"{month}/{day_of_month}/{year[2:]}",
        f"{day.month}/{day.day}/{year}",
        f"{day.month}/{day.day}/{year[2:]}",
        day.isoformat(),
        f"{month}{day_of_month}{year}",
        f"{month}{day_of_month}{year[2:]}",
        f"{year}{month}{day_of_month}",
    ]


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)
