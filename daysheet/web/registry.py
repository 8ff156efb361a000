"""What higher slices contribute to the top bar and the home page. `web` must not import them, so they register
themselves here.

Call the register functions from the slice's `AppConfig.ready()`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from daysheet.practices.actor import Actor


@dataclass(frozen=True, slots=True)
class UnbilledCount:
    count: int
    oldest_age_days: int | None = None


@dataclass(frozen=True, slots=True)
class HomePanel:
    """Something that the home page says above the day: a template, which finds `context` as `panel`."""

    template: str
    context: Any


HomePanelSource = Callable[[Actor], HomePanel | None]
UnbilledCounter = Callable[[Actor], UnbilledCount | None]

_unbilled_counters: list[UnbilledCounter] = []
_home_panels: list[HomePanelSource] = []
#: From the URL name of a page to the page of the guide that explains it.
HelpTopics = Callable[[str], str | None]
_help_topics: list[HelpTopics] = []


def register_unbilled_count(counter: UnbilledCounter) -> None:
    """Name the function that counts the unbilled visits the actor may see. The last one registered answers."""
    _unbilled_counters.append(counter)


def count_unbilled(actor: Actor) -> UnbilledCount | None:
    return _unbilled_counters[-1](actor) if _unbilled_counters else None


def register_home_panel(source: HomePanelSource) -> None:
    """Add what may be said on the home page."""
    _home_panels.append(source)


def home_panels(actor: Actor) -> list[HomePanel]:
    return [panel for source in _home_panels if (panel := source(actor)) is not None]


def register_help(topics: HelpTopics) -> None:
    """Name who knows the user guide. The last one registered answers."""
    _help_topics.append(topics)


def help_topic(url_name: str) -> str | None:
    return _help_topics[-1](url_name) if _help_topics and url_name else None
