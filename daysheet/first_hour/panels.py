"""What other pages say of the first hour: the home page while it lasts, and Settings once the guide was put away."""

from __future__ import annotations

from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.staff.registry import SettingsSection
from daysheet.web.registry import HomePanel

from .queries import where_it_stands


def home_panel(actor: Actor) -> HomePanel | None:
    """For Administrators, until there is an invoice, nothing is left to do, or somebody put the guide away."""
    if not actor.may(Permission.ADMINISTRATOR):
        return None
    stands = where_it_stands(actor)
    return HomePanel("first_hour/panel.html", stands) if stands.is_shown else None


def settings_section(actor: Actor) -> SettingsSection:
    """The way back to the guide."""
    return SettingsSection("first_hour/settings_section.html", where_it_stands(actor))
