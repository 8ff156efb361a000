"""A paper as it is kept (MadeDocument.content) and back again, letter by letter. A logo is kept by its id."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import date
from typing import Any
from uuid import UUID

from .papers import Block, Cell, Column, Facts, Grid, Holds, Kind, Letterhead, Paper, Subject, Sum, Words


def content_of(paper: Paper) -> dict[str, Any]:
    """The paper in JSON's own types."""
    bare = replace(paper, letterhead=replace(paper.letterhead, logo_png=None))
    content: dict[str, Any] = json.loads(json.dumps(asdict(bare), default=_plain))
    return content


def sha256_of(content: Mapping[str, Any]) -> str:
    """The digest of a content, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def paper_from(content: Mapping[str, Any], logo_png: bytes | None) -> Paper:
    """The paper that was kept."""
    head, subject = content["letterhead"], content["subject"]
    return Paper(
        kind=Kind(content["kind"]),
        client_id=UUID(content["client_id"]),
        title=content["title"],
        identity=content["identity"],
        letterhead=Letterhead(
            head["name"], tuple(head["lines"]), head["pay_to_source"], head["colour"],
            UUID(head["logo_id"]) if head["logo_id"] else None, logo_png, head["logo_alt"],
        ),
        addressee=tuple(content["addressee"]),
        facts=tuple((label, value) for label, value in content["facts"]),
        blocks=tuple(_block(block) for block in content["blocks"]),
        headline=(content["headline"][0], content["headline"][1]) if content["headline"] else None,
        banner=content["banner"],
        has_window=content["has_window"],
        subject=Subject(**{field.name: _subject(field.name, subject[field.name]) for field in fields(Subject)}),
    )  # fmt: skip


def _plain(value: object) -> str:
    if isinstance(value, date | UUID):
        return str(value)
    raise TypeError(f"a paper holds no {type(value).__name__}")


def _subject(name: str, value: str | None) -> Any:
    if value is None:
        return None
    return date.fromisoformat(value) if name.endswith("_on") else UUID(value)


def _block(block: Mapping[str, Any]) -> Block:
    match block["block"]:
        case "facts":
            return Facts(block["title"], tuple((label, value) for label, value in block["pairs"]))
        case "words":
            return Words(block["title"], tuple(block["paragraphs"]))
    return Grid(
        title=block["title"],
        columns=tuple(Column(each["label"], Holds(each["holds"]), each["share"]) for each in block["columns"]),
        rows=tuple(tuple(Cell(cell["text"], cell["small"]) for cell in row) for row in block["rows"]),
        sums=tuple(Sum(each["label"], tuple(each["amounts"]), each["strong"]) for each in block["sums"]),
        note=block["note"],
    )
