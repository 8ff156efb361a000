"""The top bar of every page. Nothing is asked of the database until a template really shows it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest

from daysheet.database.scope import is_practice_set
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.menus import TOP_MENU, MenuLink, visible_links
from daysheet.web.pages import practice_url_or_none, request_actor, url_or_none
from daysheet.web.registry import UnbilledCount, count_unbilled, help_topic


@dataclass(frozen=True)
class Shell:
    actor: Actor
    namespace: str = ""
    url_name: str = ""

    @property
    def practice_name(self) -> str:
        return self.actor.practice.name

    @property
    def person_name(self) -> str:
        return self.actor.person_name

    @cached_property
    def nav(self) -> tuple[MenuLink, ...]:
        return visible_links(self.actor, TOP_MENU, current=self.namespace)

    @cached_property
    def unbilled(self) -> UnbilledCount | None:
        # An error page is made after the practice's transaction: no figure there, rather than a wrong one.
        if not is_practice_set() or not self.actor.may(Permission.BILLING):
            return None
        return count_unbilled(self.actor)

    @property
    def home_url(self) -> str | None:
        return self.agenda_url or (self.nav[0].url if self.nav else None)

    @property
    def unbilled_url(self) -> str | None:
        return practice_url_or_none(self.actor, "invoicing:unbilled")

    @property
    def agenda_url(self) -> str | None:
        return practice_url_or_none(self.actor, "schedule:agenda")

    @property
    def batch_url(self) -> str | None:
        return practice_url_or_none(self.actor, "invoicing:batch") if self.actor.may(Permission.BILLING) else None

    @property
    def clients_url(self) -> str | None:
        return practice_url_or_none(self.actor, "clients:list")

    @property
    def client_search_url(self) -> str | None:
        return practice_url_or_none(self.actor, "clients:search")

    @property
    def account_url(self) -> str | None:
        return practice_url_or_none(self.actor, "practices:my_account") or url_or_none("account_email")

    @property
    def help_url(self) -> str | None:
        """The page of the guide for this page's task; where there is none yet, all of them."""
        topic = help_topic(self.url_name)
        if topic is None:
            return practice_url_or_none(self.actor, "help:index")
        return practice_url_or_none(self.actor, "help:page", page=topic)

    @property
    def sign_out_url(self) -> str | None:
        return url_or_none("account_logout")


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `shell` for requests of a practice, nothing for sign-in and the like."""
    actor = request_actor(request)
    if actor is None:
        return {}
    match = request.resolver_match
    namespace = match.namespaces[0] if match is not None and match.namespaces else ""
    return {"shell": Shell(actor, namespace, match.view_name if match is not None else "")}
