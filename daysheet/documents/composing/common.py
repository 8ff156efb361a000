"""Words and parts that several kinds of documents share."""

from __future__ import annotations

from datetime import date

from daysheet.clients.models import Client
from daysheet.clients.rules import address_lines
from daysheet.kit.dates import us_date
from daysheet.kit.money import Money

from ..papers import Words, one_line


def money(cents: int) -> str:
    """`$1,234.50`."""
    return str(Money(cents))


def balance(cents: int) -> str:
    """A balance; below zero it is said to be a credit."""
    return f"{Money(-cents)} credit" if cents < 0 else money(cents)


def days(first_on: date, last_on: date) -> str:
    """`11/01/2026 – 11/30/2026`, or the one day."""
    return us_date(first_on) if first_on == last_on else f"{us_date(first_on)} – {us_date(last_on)}"


def addressee(client: Client) -> tuple[str, ...]:
    """Name and address of a client as documents print them now (D2)."""
    lines = address_lines(client.address_1, client.address_2, client.city, client.state, client.postal_code)
    return tuple(one_line(line) for line in (client.document_name, *lines))


def service(code: str, name: str) -> str:
    """`9T001 Talk`."""
    return one_line(f"{code} {name}")


def message_block(message: str) -> tuple[Words, ...]:
    """What the practice writes at the end of its invoices and statements."""
    return (Words("", (message,)),) if message else ()


def count_of(number: int, one: str, many: str) -> str:
    """`1 line`, `12 lines`."""
    return f"{number:,} {one if number == 1 else many}"
