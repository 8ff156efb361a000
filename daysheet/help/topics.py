"""Which page of the guide explains which page of the application. A test opens each: a page that is gone fails."""

from __future__ import annotations

#: {URL name, or a namespace for all its pages: page of docs/guide}. A name goes before its namespace.
TOPICS: dict[str, str] = {
    "first_hour": "first-hour",
    "automation": "automation",
    "imports": "import",
}


def topic_of(url_name: str) -> str | None:
    """The page for an address of the application; None where the guide has none yet."""
    return TOPICS.get(url_name) or TOPICS.get(url_name.partition(":")[0])
