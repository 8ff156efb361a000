"""Pages read as a person reads them, and their forms filled in as a browser does it: with their hidden fields."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote


def words_of(page: Any) -> str:
    """What a page says: its text, or an answer that has it."""
    text = page if isinstance(page, str) else page.content.decode()
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text.split("<main", 1)[-1])).split())


def named_in(text: str, words: Iterable[str], *, in_any_case: bool = False) -> list[str]:
    """Which of the words stand there as words, in addresses and names of files too. A form's random token has any
    letters, and names nobody."""
    said, flags = unquote(text), re.IGNORECASE if in_any_case else re.NOFLAG
    return [word for word in words if re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", said, flags)]


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
