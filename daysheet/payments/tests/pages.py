"""Corrections made page by page, as a person makes them."""

from __future__ import annotations

from typing import Any

from django.test import Client as Browser

from tests.pages import filled, words_of


def agreed(browser: Browser, url: str, **typed: Any) -> dict[str, Any]:
    """The form of a page filled in, its effect shown: what Yes would send."""
    shown = browser.post(url, filled(browser.get(url).text, reason="Misread", **typed))
    assert shown.status_code == 200, words_of(shown)
    assert "What this does" in shown.text
    return filled(shown.text, confirmed="1")


def done(browser: Browser, url: str, **typed: Any) -> None:
    """And Yes said to it."""
    assert browser.post(url, agreed(browser, url, **typed)).status_code == 303
