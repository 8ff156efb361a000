"""Every amount on every report opens to what it is made of, and that comes to exactly the same amount (M8)."""

from __future__ import annotations

import html
import re
from collections import Counter

import pytest
from django.test import Client as Browser

from daysheet.practices.actor import Actor

from .conftest import EARLIER, SignIn, Week

ADDRESSES = (
    "day-sheet/", f"day-sheet/?day={EARLIER}", "invoice-aging/", "invoice-aging/?by=insurer", "invoice-aging/?by=both",
    f"invoice-aging/?by=both&as_of={EARLIER}", f"invoice-aging/?by=client&since=invoice&as_of={EARLIER}",
    "invoice-aging/lines/?by=client", "invoice-aging/lines/?by=insurer", "invoice-aging/lines/?by=both", "payments/",
    "payments/?method=cash", "payments/?source=insurer", "payment-methods/", "payment-methods/?source=client",
    "credits/", f"credits/?as_of={EARLIER}", "credits/?source=insurer", "collections/", "unbilled/",
)  # fmt: skip
_CELL = re.compile(r'<t[dh][^>]*class="money"[^>]*>\s*<span>(<a [^>]*href="([^"]*)"[^>]*>)?([^<]*)')
#: Money that is no ledger figure: an invoice would come to it, or one entry by itself.
_NOT_BEHIND = ("/appointments/",)


def _figures(page: str) -> list[tuple[str, str]]:
    """(address behind it, amount) of every amount on a page; the address is empty where it opens to nothing."""
    return [(html.unescape(url), amount.strip()) for _, url, amount in _CELL.findall(page)]


def _shown(page: str) -> str:
    """The figure that a page behind one is about: its tile, or the total under its rows; nothing where it is empty."""
    tile = re.search(r'<dl class="tiles">.*?<dd>([^<]*)', page, re.DOTALL)
    if tile:
        return tile.group(1).strip()
    totals = _figures(page.split("<tfoot>")[-1]) if "<tfoot>" in page else []
    return totals[-1][1] if totals else "$0.00"


def _plain(amount: str) -> str:
    """`$5.00 credit` is what a balance below nothing is called."""
    return f"−{amount.removesuffix(' credit')}" if amount.endswith(" credit") else amount


def _follow(browser: Browser, address: str) -> Counter[str]:
    found: Counter[str] = Counter()
    page = browser.get(f"/alder/reports/{address}").text
    if "/lines/" in address:  # their total is of what stands there
        page = page.split("<tfoot>")[0]
    for url, amount in _figures(page):
        if not url:
            found["dead"] += amount != "$0.00"
            continue
        behind = browser.get(url)
        assert behind.status_code == 200, (address, url)
        if any(part in url for part in _NOT_BEHIND) or "/unbilled/" in url:
            continue
        wanted = amount.removeprefix("−") if "figure=returned" in url else _plain(amount)
        assert _plain(_shown(behind.text)) == wanted, (address, url)
        found["opened"] += 1
    return found


@pytest.mark.parametrize("address", ADDRESSES)
def test_each_amount_leads_to_a_page_of_the_same_amount(week: Week, bob: Browser, address: str) -> None:
    followed = _follow(bob, address)
    assert followed["dead"] == 0
    assert followed["opened"] or "unbilled" in address or "source=insurer&" in address


def test_and_for_people_limited_to_assigned_clients(week: Week, limited: Actor, sign_in: SignIn) -> None:
    browser = sign_in(week.clinic.cast.bob)
    opened = sum(_follow(browser, address)["opened"] for address in ADDRESSES)
    assert opened > 30
