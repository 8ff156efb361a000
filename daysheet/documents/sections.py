"""What documents show on pages of lower slices."""

from __future__ import annotations

from daysheet.practices.actor import Actor
from daysheet.staff.registry import SettingsSection

from .queries.look import document_look


def look_section(actor: Actor) -> SettingsSection:
    """How documents look, on Organization → Settings."""
    return SettingsSection("documents/parts/settings_section.html", document_look(actor))
