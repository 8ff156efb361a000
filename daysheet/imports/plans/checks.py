"""What a row must agree with beyond its own cells: other columns, other rows, what is in the table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from daysheet.clients.models import Coverage
from daysheet.clients.rules import ranges_overlap
from daysheet.services.models import ServiceType
from daysheet.services.rules import NON_CPT, code_problem
from daysheet.staff.models import StaffMember

from ..parsing import ParsedFile
from .sets import find_rows

if TYPE_CHECKING:
    from .tables import Draft

_FEES = (
    ("is_no_show_fee", "No Show Fee"),
    ("is_late_cancel_fee", "Late Cancel Fee"),
    ("is_canceled_fee", "Canceled Fee"),
)


def check_nothing(parsed: ParsedFile, drafts: Sequence[Draft]) -> None:
    """Nothing beyond the cells themselves."""


def check_staff(parsed: ParsedFile, drafts: Sequence[Draft]) -> None:
    """A file never changes who may sign in: e-mail and *Active* of a person with a login are the Staff page’s (P2)."""
    for draft in drafts:
        if draft.is_new or draft.before["user_id"] is None:
            continue
        for name, label in (("email", "Email"), ("is_active", "Active")):
            if draft.before[name] != draft.after[name]:
                draft.row.object_to(
                    parsed.layout.column(label.lower()),
                    "this person signs in to Daysheet; change it on the Staff page",
                )


def check_clients(parsed: ParsedFile, drafts: Sequence[Draft]) -> None:
    """Whoever renders is a provider, and whoever's NPI bills has one (B11)."""
    wanted = {draft.after[name] for draft in drafts for name in ("rendering_override_id", "billing_staff_member_id")}
    staff = StaffMember.objects.in_bulk(wanted - {None})
    for draft in drafts:
        renders = staff.get(draft.after["rendering_override_id"])
        if renders and not renders.is_provider:
            draft.row.object_to(parsed.layout.column("rendering_provider"), f"{renders.name} is not a provider")
        bills = staff.get(draft.after["billing_staff_member_id"])
        if bills and not bills.npi:
            draft.row.object_to(parsed.layout.column("billing_provider"), f"{bills.name} has no NPI")


def check_service_types(parsed: ParsedFile, drafts: Sequence[Draft]) -> None:
    """Codes fit their kind (in capitals), and at most one service type is each fee for a missed visit (S1)."""
    others = {
        name: set(ServiceType.objects.filter(archived_at=None, **{name: True}).values_list("pk", flat=True))
        for name, _ in _FEES
    }
    for draft in drafts:
        values = draft.after
        values["code"] = values["code"].upper()
        problem = code_problem(values["kind"], values["code"])
        if problem:
            draft.row.object_to(parsed.layout.column("code"), problem[0].lower() + problem[1:].rstrip("."))
        for name, label in _FEES:
            if not values[name]:
                others[name].discard(draft.id)
                continue
            column = parsed.layout.column(label.lower().replace(" ", "_"))
            if values["kind"] != NON_CPT:
                draft.row.object_to(column, "a fee for a missed visit must be Non-CPT")
            others[name].add(draft.id)
            if len(others[name]) > 1:
                draft.row.object_to(column, "another service type is this fee already")


def check_coverages(parsed: ParsedFile, drafts: Sequence[Draft]) -> None:
    """A policy stays with its client, ends after it begins, and no two of one rank pay on the same day (I1)."""
    client, end = parsed.layout.column("client"), parsed.layout.column("ends_on")
    by_place: dict[tuple[UUID, int], list[tuple[Any, Any, UUID, str]]] = defaultdict(list)
    ours = {draft.id for draft in drafts}
    client_ids = {draft.after["client_id"] for draft in drafts if draft.after["client_id"]}
    wanted = ("id", "client_id", "rank", "starts_on", "ends_on")
    for row in find_rows(Coverage, "client_id", client_ids, wanted):
        if row["id"] not in ours:
            by_place[row["client_id"], row["rank"]].append((row["starts_on"], row["ends_on"], row["id"], "a policy"))
    for draft in drafts:
        values = draft.after
        if not draft.is_new and draft.before["client_id"] != values["client_id"]:
            draft.row.object_to(client, "this policy belongs to another client; give the new one an ID of its own")
        if draft.row.problems:
            continue
        starts_on, ends_on = values["starts_on"], values["ends_on"]
        if ends_on is not None and ends_on <= starts_on:
            draft.row.object_to(end, "it must be later than Starts On")
            continue
        place = by_place[values["client_id"], values["rank"]]
        for other_start, other_end, _, words in place:
            if ranges_overlap((starts_on, ends_on), (other_start, other_end)):
                draft.row.object_to(
                    parsed.layout.column("starts_on"),
                    f"{words} of the same client and rank covers some of these days; end it first, or change the rank",
                )
                break
        place.append((starts_on, ends_on, draft.id, f"row {draft.row.number}"))
