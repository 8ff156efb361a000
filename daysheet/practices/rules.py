"""Addresses of practices, codes and numbers that identify them: pure decisions."""

from __future__ import annotations

import re
import unicodedata

#: First parts of addresses that are not practices (config/urls.py, static files, health checks).
RESERVED_ADDRESSES = frozenset(
    {"account", "welcome", "static", "media", "health", "healthz", "metrics", "api", "admin", "portal", "favicon.ico"}
)
_ADDRESS = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")
_TAX_ID = re.compile(r"^([0-9]{2}-?[0-9]{7}|[0-9]{3}-[0-9]{2}-[0-9]{4})$")

#: Time zones of the United States, first in every list.
US_TIME_ZONES = (
    *("America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles"),
    *("America/Anchorage", "Pacific/Honolulu", "America/Puerto_Rico", "Pacific/Guam"),
)


def propose_address(name: str) -> str:
    """The address for a practice of this name: `Juniper & Sons` → `juniper-sons`; empty where nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower().replace("'", "")
    address = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
    return f"{address}-practice" if address in RESERVED_ADDRESSES else address


def is_address(text: str) -> bool:
    """Whether `text` may be the address of a practice."""
    return bool(_ADDRESS.match(text)) and len(text) <= 60 and text not in RESERVED_ADDRESSES


def is_tax_id(text: str) -> bool:
    """Whether `text` is an EIN (`12-3456789`) or a social security number (`123-45-6789`)."""
    return bool(_TAX_ID.match(text))


def normal_tax_id(text: str) -> str:
    """An EIN with its hyphen; a social security number has eleven characters and loses its hyphens to fit box 25."""
    digits = text.replace("-", "")
    return digits if text.count("-") == 2 else f"{digits[:2]}-{digits[2:]}"


def time_zone_order(names: set[str]) -> list[str]:
    """All time zones, those of the United States first."""
    return [*US_TIME_ZONES, *sorted(names - set(US_TIME_ZONES))]
