"""Words about staff."""

from __future__ import annotations

from collections.abc import Iterable

from django import template

from daysheet.practices.permissions import Permission

register = template.Library()


@register.filter
def permission_labels(stored: Iterable[str]) -> str:
    """`["billing", "provider"]` → `Billing, Provider`; `Default` for nothing more."""
    held = set(stored)
    return ", ".join(permission.label for permission in Permission if permission.value in held) or "Default"
