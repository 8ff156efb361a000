"""Forms of pages filled in and sent as a browser would: with their hidden fields."""

from __future__ import annotations

import html
import re
from typing import Any

from django.test import Client as Browser


def filled(page: str, **typed: Any) -> dict[str, Any]:
    """What a browser would send of a page's form, with this typed over it."""
    form = page.split('<form method="post" class="sheet', 1)[1].split("</form>")[0]
    sent: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = (re.search(rf'\b{word}="([^"]*)"', tag) for word in ("name", "value"))
        if name and ('type="checkbox"' not in tag or " checked" in tag):
            sent[name.group(1)] = html.unescape(value.group(1)) if value else ""
    for name, options in re.findall(r'<select name="([^"]*)"(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)"[^>]* selected', options)
        sent[name] = chosen.group(1) if chosen else ""
    for name, text in re.findall(r'<textarea name="([^"]*)"[^>]*>([^<]*)', form):
        sent[name] = html.unescape(text).strip()
    return sent | typed


def words(page: str) -> str:
    """What the page says."""
    main = page.split("<main", 1)[-1]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())


def agreed(browser: Browser, url: str, **typed: Any) -> dict[str, Any]:
    """The form of a page filled in, its effect shown: what Yes would send."""
    shown = browser.post(url, filled(browser.get(url).text, reason="Misread", **typed))
    assert shown.status_code == 200, words(shown.text)
    assert "What this does" in shown.text
    return filled(shown.text, confirmed="1")


def done(browser: Browser, url: str, **typed: Any) -> None:
    """And Yes said to it."""
    assert browser.post(url, agreed(browser, url, **typed)).status_code == 303
