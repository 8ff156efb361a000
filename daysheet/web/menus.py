"""The menus, with the labels of product.md §2. A `None` name, or one that no slice serves yet, is not shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.pages import practice_url_or_none


@dataclass(frozen=True, slots=True)
class MenuItem:
    label: str
    url_name: str | None
    permission: Permission = Permission.DEFAULT
    # The page is marked as the current one in the top bar while a page of these namespaces is open.
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MenuLink:
    label: str
    url: str
    active: bool = False


TOP_MENU = (
    MenuItem("Schedule", "schedule:agenda", namespaces=("schedule",)),
    MenuItem("Clients", "clients:list", namespaces=("clients", "ledger", "payments", "documents")),
    MenuItem("Billing", "invoicing:batch", Permission.BILLING, ("invoicing", "claims", "mail", "mailings")),
    MenuItem("Staff", "staff:list", Permission.ADMINISTRATOR, ("staff",)),
    MenuItem("Reports", "reports:index", Permission.BILLING, ("reports",)),
    MenuItem(
        "Organization",
        "practices:settings",
        Permission.ADMINISTRATOR,
        ("practices", "services", "audit", "automation", "imports"),
    ),
)

SCHEDULE_MENU = (
    MenuItem("Agenda", "schedule:agenda"),
    MenuItem("Calendar", "schedule:calendar"),
)

CLIENT_MENU = (
    MenuItem("Details", "clients:details"),
    MenuItem("Bill To & Insurance Info", "clients:bill_to", Permission.BILLING),
    MenuItem("Ledger", "payments:ledger", Permission.BILLING),
    MenuItem("Appointments", "schedule:client_appointments"),
    MenuItem("Documents", "documents:client_documents", Permission.BILLING),
)

BILLING_MENU = (
    MenuItem("Batch Invoicing", "invoicing:batch", Permission.BILLING),
    MenuItem("Claims", "claims:list", Permission.BILLING),
    MenuItem("Insurance Payments (ERA)", None, Permission.BILLING),
    MenuItem("Batch Statements", "mailings:batch_statements", Permission.BILLING),
    MenuItem("Batch Payments", "payments:batch_payments", Permission.BILLING),
    MenuItem("Good Faith Estimates", "documents:owed_estimates", Permission.BILLING),
    MenuItem("Insurers", "clients:insurers", Permission.BILLING),
    MenuItem("Delivery Log", "mail:delivery_log", Permission.BILLING),
)

REPORTS_MENU = (
    MenuItem("Day Sheet", "reports:day_sheet", Permission.BILLING),
    MenuItem("Invoice Aging", "reports:invoice_aging", Permission.BILLING),
    MenuItem("Payments", "reports:payments", Permission.BILLING),
    MenuItem("Payment Methods", "reports:payment_methods", Permission.BILLING),
    MenuItem("Credits", "reports:credits", Permission.BILLING),
    MenuItem("Unbilled", "reports:unbilled", Permission.BILLING),
    MenuItem("Collections", "reports:collections", Permission.BILLING),
)

ORGANIZATION_MENU = (
    MenuItem("Settings", "practices:settings", Permission.ADMINISTRATOR),
    MenuItem("Service Types", "services:list", Permission.ADMINISTRATOR),
    MenuItem("Locations", "practices:locations", Permission.ADMINISTRATOR),
    MenuItem("Income Based Payment Amounts", "services:income_amounts", Permission.ADMINISTRATOR),
    MenuItem("AMA CPT Licenses", "staff:licenses", Permission.ADMINISTRATOR),
    MenuItem("Automation", "automation:automation", Permission.ADMINISTRATOR, ("automation",)),
    MenuItem("Card Processor", "cards:processor", Permission.ADMINISTRATOR),
    MenuItem("Activity Log", "audit:activity_log", Permission.ADMINISTRATOR),
    MenuItem("Import", "imports:upload", Permission.ADMINISTRATOR),
)

SIDE_MENUS = {
    "schedule": SCHEDULE_MENU,
    "client": CLIENT_MENU,
    "billing": BILLING_MENU,
    "reports": REPORTS_MENU,
    "organization": ORGANIZATION_MENU,
}


def visible_links(
    actor: Actor, items: Iterable[MenuItem], *, current: str = "", kwargs: dict[str, Any] | None = None
) -> tuple[MenuLink, ...]:
    """Return what the actor may open, in order; `current` is a URL name, a label or a namespace."""
    links = []
    for item in items:
        url = practice_url_or_none(actor, item.url_name, **(kwargs or {})) if actor.may(item.permission) else None
        if url is not None:
            links.append(MenuLink(item.label, url, active=_is_current(item, current)))
    return tuple(links)


def _is_current(item: MenuItem, current: str) -> bool:
    return current != "" and current in (item.url_name, item.label, *item.namespaces)
