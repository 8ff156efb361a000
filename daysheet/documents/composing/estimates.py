"""The Good Faith Estimate: every element that 45 CFR 149.610(c)(1) asks for, in its order.

Beside the superbill the only document on which diagnoses stand (D3): the regulation asks for them here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from daysheet.clients.queries import visible_clients
from daysheet.kit.dates import us_date
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import Estimate, EstimateItem
from ..papers import (
    Block,
    Cell,
    Column,
    Facts,
    Grid,
    Holds,
    Kind,
    Letterhead,
    Paper,
    Subject,
    Sum,
    Words,
    one_line,
    text_lines,
)
from ..queries.letterheads import letterheads
from .common import days, money


@query(Permission.BILLING)
def estimate_papers(actor: Actor, estimate_ids: Collection[UUID]) -> list[Paper]:
    """These estimates of clients whom the actor may see, in the order of `estimate_ids`; a fixed number of
    statements."""
    found = {each.pk: each for each in Estimate.objects.filter(pk__in=estimate_ids, client__in=visible_clients(actor))}
    items: dict[UUID, list[EstimateItem]] = defaultdict(list)
    for item in EstimateItem.objects.filter(estimate_id__in=found).order_by("position"):
        items[item.estimate_id].append(item)
    superseded = set(Estimate.objects.filter(supersedes_id__in=found).values_list("supersedes_id", flat=True))
    head = letterheads(actor).practice
    return [
        estimate_paper(found[pk], items[pk], head, is_superseded=pk in superseded)
        for pk in dict.fromkeys(estimate_ids)
        if pk in found
    ]


def estimate_paper(estimate: Estimate, items: list[EstimateItem], head: Letterhead, *, is_superseded: bool) -> Paper:
    """One estimate. Its words and figures are those that were stored when it was given."""
    expected = money(sum(item.expected_cents for item in items))
    banner = "Superseded by a newer estimate." if is_superseded else ""
    return Paper(
        kind=Kind.ESTIMATE,
        client_id=estimate.client_id,
        title="Good Faith Estimate",
        identity=one_line(f"{estimate.client_name} · Good Faith Estimate of {us_date(estimate.given_on)}"),
        letterhead=head,
        addressee=(one_line(estimate.client_name), *text_lines(estimate.client_address)),
        facts=(("Date of this estimate", us_date(estimate.given_on)),
               ("Covers services", days(estimate.first_on, estimate.last_on))),
        headline=("Expected charges", expected),
        banner=banner,
        blocks=(_about(estimate), _items(items, expected), _providers(estimate, items), *_recurring(estimate),
                Words("To be scheduled separately", _separately(estimate)), Words("Please note", _DISCLAIMERS),
                Words("If you are billed more", _disputes(estimate))),
        subject=Subject(estimate_id=estimate.pk, first_on=estimate.first_on, last_on=estimate.last_on),
    )  # fmt: skip


def _about(estimate: Estimate) -> Block:
    born = us_date(estimate.client_birth_on) if estimate.client_birth_on else "not on record"
    pairs = [
        ("Client", one_line(estimate.client_name)), ("Date of birth", born),
        ("Primary service", one_line(estimate.description)),
    ]  # fmt: skip
    pairs += [("Scheduled for", us_date(estimate.scheduled_on))] if estimate.scheduled_on else []
    return Facts("What this estimate is for", tuple(pairs))


def _items(items: list[EstimateItem], expected: str) -> Block:
    columns = (
        Column("Code"), Column("Service", share=3), Column("Diagnosis", share=1), Column("Provider", share=2),
        Column("Quantity", Holds.NUMBER), Column("Each", Holds.MONEY), Column("Expected charge", Holds.MONEY),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(one_line(item.code)), Cell(one_line(item.name)), Cell(", ".join(item.diagnosis_codes) or "none yet"),
            Cell(one_line(item.rendering_name)), Cell(str(item.quantity)), Cell(money(item.unit_cents)),
            Cell(money(item.expected_cents)),
        )
        for item in items
    )  # fmt: skip
    return Grid("Services expected", columns, rows, (Sum("Total of expected charges", (expected,), strong=True),))


def _providers(estimate: Estimate, items: list[EstimateItem]) -> Block:
    tax_id = one_line(estimate.practice_tax_id) or "not on record"
    columns = (
        Column("Provider or facility", share=2),
        Column("NPI"),
        Column("Tax ID"),
        Column("Expected", Holds.MONEY),
    )
    cents: dict[tuple[str, str], int] = defaultdict(int)
    for item in items:
        cents[(item.rendering_name, item.rendering_npi)] += item.expected_cents
    rows = [
        (Cell(one_line(name)), Cell(npi or "none"), Cell(tax_id), Cell(money(amount)))
        for (name, npi), amount in cents.items()
    ]
    own_npi = estimate.practice_npi or "none"
    own = (Cell(one_line(estimate.practice_name), "bills for them"), Cell(own_npi), Cell(tax_id), Cell(""))
    place = ", ".join((one_line(estimate.location_name), *text_lines(estimate.location_address)))
    return Grid("Who renders them, and where", columns, (*rows, own), note=f"Where: {place}")


def _recurring(estimate: Estimate) -> tuple[Block, ...]:
    if not estimate.recurrence:
        return ()
    said = (
        f"These services are expected to recur: {one_line(estimate.recurrence)}, from "
        f"{us_date(estimate.first_on)} to {us_date(estimate.last_on)}.",
        "One estimate for recurring services covers at most twelve months. If services are to go on longer, or if what "
        "is expected changes, you will be given a new estimate, and what changed will be explained to you.",
    )
    return (Words("Recurring services", said),)


def _separately(estimate: Estimate) -> tuple[str, ...]:
    listed = one_line(estimate.separately) or "Nothing that has to be scheduled separately is expected."
    return (
        listed,
        "For anything that is scheduled separately you will be given a separate estimate when it is scheduled, or when "
        "you ask for one. To ask, call or write to us at the address above.",
    )


_DISCLAIMERS = (
    "We may recommend further services as part of your care that must be scheduled or requested separately. They are "
    "not part of this estimate.",
    "This is only an estimate of services that were reasonably expected when it was given. The actual services and "
    "charges may differ.",
    "This estimate is not a contract. It does not oblige you to obtain the services from any provider named here.",
)


def _disputes(estimate: Estimate) -> tuple[str, ...]:
    practice = one_line(estimate.practice_name)
    return (
        f"If the charges that {practice} bills you are at least $400.00 more than the expected charges of this "
        "estimate, you have the right to start the patient-provider dispute resolution process.",
        "You may first ask us to correct the bill to match the estimate, to negotiate it, or about financial help. To "
        "start the process you have 120 calendar days from the date of the original bill. How to start it, the form "
        "and its fee: www.cms.gov/nosurprises, or call 1-800-985-3059.",
        "Starting the process will not affect the quality of the care that you are given. Keep this estimate: you may "
        "need it.",
    )
