"""The pages of docs/guide, read from Markdown. Everything in a page is text: HTML in it is shown as it stands, links
lead to other pages of the guide or to https, and pictures are those of docs/screenshots.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "guide"
PICTURES = FOLDER.parent / "screenshots"
_SECTIONS = {
    "Begin": ("first-hour", "import", "staff"),
    "Schedule": ("schedule", "series-and-groups"),
    "Invoices": ("invoice-from-agenda", "new-invoice", "batch-invoicing", "automation", "prices", "licenses"),
    "Money": ("client-payments", "insurance-payments", "corrections", "reports"),
    "Paper and e-mail": ("documents", "sending", "good-faith-estimates"),
}
_NAME = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")
_PICTURE = re.compile(r"^\.\./screenshots/(?P<name>[a-z0-9-]+)\.png$")
_PAGE_LINK = re.compile(r"^(?P<page>[a-z0-9-]+)\.md(?P<part>#[a-z0-9-]+)?$")


@dataclass(frozen=True, slots=True)
class GuidePage:
    """One page: its name in the address, its title, and its text below the title."""

    name: str
    title: str
    text: str

    @property
    def html(self) -> SafeString:
        """The text as safe HTML."""
        return SafeString(_reader().render(self.text))


def page_names() -> tuple[str, ...]:
    """The pages there are, by name; none where the documentation was not installed."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.md") if _NAME.match(path.stem)))


def sections() -> list[tuple[str, list[GuidePage]]]:
    """All pages, by what people do, in the order in which they do it. A page that is in no section comes last."""
    placed = [name for names in _SECTIONS.values() for name in names]
    named = {**_SECTIONS, "More": tuple(name for name in page_names() if name not in placed)}
    found = {title: [page for name in names if (page := find_page(name))] for title, names in named.items()}
    return [(title, pages) for title, pages in found.items() if pages]


def find_page(name: str) -> GuidePage | None:
    """One page; None where there is none of this name. A name is never a path."""
    path = FOLDER / f"{name}.md"
    if not _NAME.match(name) or not path.is_file():
        return None
    first, _, text = path.read_text(encoding="utf-8").partition("\n")
    return GuidePage(name, first.removeprefix("# ").strip(), text)


def find_picture(name: str) -> bytes | None:
    """A picture of the guide as PNG; None where there is none of this name. A name is never a path."""
    path = PICTURES / f"{name}.png"
    return path.read_bytes() if _NAME.match(name) and path.is_file() else None


@cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.add_render_rule("image", _image)
    reader.add_render_rule("link_open", _link)
    reader.add_render_rule("table_open", _table)
    return reader


def _link(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: Any) -> str:
    """`[Import](import.md)` leads to that page in the application. What is neither a page nor https leads nowhere."""
    token = tokens[index]
    target = str(token.attrs.get("href", ""))
    page = _PAGE_LINK.match(target)
    if page:
        target = f"../{page['page']}/{page['part'] or ''}"
    elif not target.startswith(("https://", "#")):
        target = "#main"
    token.attrs = {"href": target, "class": "text-link"}
    return renderer.renderToken(tokens, index, options, environment)


def _image(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: Any) -> str:
    """`![The Agenda](../screenshots/agenda.png)` is that picture; one from anywhere else is its words only."""
    token = tokens[index]
    alt = escape(token.content)
    picture = _PICTURE.match(str(token.attrs.get("src", "")))
    if not picture:
        return alt
    # The size all are taken in, so that the text below does not jump when a picture comes.
    return f'<img src="../pictures/{picture["name"]}.png" alt="{alt}" width="1280" height="720" loading="lazy">'


def _table(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: Any) -> str:
    tokens[index].attrs["class"] = "ledger-table"
    return renderer.renderToken(tokens, index, options, environment)
