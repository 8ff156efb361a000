"""docs/guide says what the screens say: each label in it stands on a screen, and each picture is there and needed."""

from __future__ import annotations

import ast
import html
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "guide"
PAGES = sorted(GUIDE.glob("*.md"))
PICTURES = ROOT / "docs" / "screenshots"
LARGEST_BYTES = 150_000
_PICTURE = re.compile(r"!\[([^]]+)]\((?:\.\./|docs/)screenshots/([a-z0-9-]+)\.png\)")
_COMMENT = re.compile(r"{#.*?#}|{% comment %}.*?{% endcomment %}", re.S)
#: **Save** is a thing to press or a field; *Billing → Batch Invoicing* a way there.
_LABEL = re.compile(r"(?<!\*)\*\*([^*]+)\*\*(?!\*)|(?<![*\w])\*([^*\n]+)\*(?![*\w])")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_label_of_the_guide_stands_on_a_screen(page: Path) -> None:
    unknown = [label for label in labels(page.read_text(encoding="utf-8")) if label not in screens()]
    assert not unknown, f"{page.name} names what no screen shows: {unknown}"


def test_a_label_that_no_screen_shows_would_be_found() -> None:
    text = (
        "Open *Billing → Batch Invoicing*, press **Save Everything** and\n**Yes, I'm sure**. **Again is harmless.** No."
    )
    assert labels(text) == ["Save Everything", "Yes, I'm sure", "Billing", "Batch Invoicing"]
    assert "Save Everything" not in screens() and "Batch Invoicing" in screens()


def test_every_picture_that_is_named_is_there_and_every_picture_is_shown() -> None:
    named = {name for page in [*PAGES, ROOT / "README.md"] for _, name in _PICTURE.findall(page.read_text("utf-8"))}
    assert named == {path.stem for path in PICTURES.glob("*.png")}


def test_the_pictures_are_those_that_the_script_takes_and_small() -> None:
    script = (ROOT / "tools" / "screenshots.py").read_text(encoding="utf-8")
    taken = set(re.findall(r'^    "([a-z0-9-]+)": \(', script, re.M))
    assert taken == {path.stem for path in PICTURES.glob("*.png")}
    assert [path.name for path in PICTURES.glob("*.png") if path.stat().st_size > LARGEST_BYTES] == []


def labels(text: str) -> list[str]:
    """The labels of a page; a sentence in bold at the start of a point is none."""
    found = _LABEL.findall(re.sub(r"\s+", " ", re.sub(r"^\* ", "", text, flags=re.M)))
    pressed = [bold for bold, _ in found if bold and not bold.endswith((".", ":"))]
    return pressed + [part.strip() for _, way in found if way for part in way.split("→")]


@cache
def screens() -> str:
    """All words that pages can show: templates without comments, and the strings of the code, docstrings aside."""
    sources = [path for path in (ROOT / "daysheet").rglob("*.*") if not {"tests", "migrations"} & set(path.parts)]
    said = [_COMMENT.sub("", path.read_text(encoding="utf-8")) for path in sources if path.suffix == ".html"]
    said += [text for path in sources if path.suffix == ".py" for text in _strings(path.read_text(encoding="utf-8"))]
    return "\n".join(html.unescape(each) for each in said)


def _strings(source: str) -> list[str]:
    tree = ast.parse(source)
    doc = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    return [
        each.value
        for each in ast.walk(tree)
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in doc
    ]
