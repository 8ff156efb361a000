"""The superbill: what a client needs to claim from an insurer by themselves (D1). With the Good Faith Estimate the only
document on which diagnoses stand (D3)."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.dates import us_date
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..papers import Block, Cell, Column, Facts, Grid, Holds, Kind, Paper, Subject, Sum, Words, one_line
from ..queries.invoices import Settled, location_of
from ..queries.letterheads import Letterheads, letterheads
from ..queries.superbills import Superbill, superbills
from ..rules import Period, place_of_service_name
from .common import addressee, count_of, days, money


@query(Permission.BILLING)
def superbill_papers(
    actor: Actor,
    client_ids: Collection[UUID],
    *,
    period: Period | None = None,
    invoice_ids: Collection[UUID] | None = None,
) -> list[Paper]:
    """The superbills of these clients that have coded services in the period or on the invoices, in the order of
    `client_ids`. Whoever has none gets no paper."""
    found = superbills(actor, client_ids, period=period, invoice_ids=invoice_ids)
    heads = letterheads(actor, {location_of(line) for each in found.values() for line in each.lines})
    return [
        superbill_paper(actor, found[pk], heads, period)
        for pk in dict.fromkeys(client_ids)
        if pk in found and found[pk].lines
    ]


def superbill_paper(actor: Actor, superbill: Superbill, heads: Letterheads, period: Period | None) -> Paper:
    """One superbill."""
    client, lines = superbill.client, superbill.lines
    covers = period or Period(lines[0].service_on, lines[-1].service_on)
    invoices = set() if period else {line.invoice_id for line in lines}
    codes = tuple(dict.fromkeys(code for line in lines for code in line.diagnosis_codes))
    return Paper(
        kind=Kind.SUPERBILL,
        client_id=client.pk,
        title="Superbill",
        identity=one_line(f"{client.document_name} · Superbill {days(covers.first_on, covers.last_on)}"),
        letterhead=heads.at(location_of(lines[0])),
        addressee=addressee(client),
        facts=(("Date", us_date(actor.today)), ("Dates of service", days(covers.first_on, covers.last_on))),
        blocks=(
            _client_facts(superbill),
            _providers(superbill, heads.tax_id),
            _diagnoses(superbill, codes),
            _services(superbill, codes),
            Words("", _SAID),
        ),
        subject=Subject(
            invoice_id=invoices.pop() if len(invoices) == 1 else None, first_on=covers.first_on, last_on=covers.last_on
        ),
    )


def _client_facts(superbill: Superbill) -> Block:
    client, coverage = superbill.client, superbill.coverage
    pairs = [("Name", one_line(client.document_name))]
    pairs += [("Date of birth", us_date(client.birth_on))] if client.birth_on else []
    pairs += [("Sex", _SEXES[client.sex])] if client.sex in _SEXES else []
    if coverage:
        pairs.append(("Insurer", one_line(coverage.payer.name)))
        pairs.append(("Member ID", one_line(coverage.insured_id)))
        pairs += [("Group", one_line(coverage.group_number))] if coverage.group_number else []
    return Facts("Client", tuple(pairs))


_SEXES = {"F": "Female", "M": "Male"}


def _providers(superbill: Superbill, tax_id: str) -> Block:
    rendering = dict.fromkeys((line.rendering_name, line.rendering_npi) for line in superbill.lines)
    billing = dict.fromkeys((line.billing_name, line.billing_npi) for line in superbill.lines)
    places = dict.fromkeys(_place(line) for line in superbill.lines)
    pairs = [("Rendering provider", _with_npi(*each)) for each in rendering if each[0]]
    pairs += [("Billing provider", _with_npi(*each)) for each in billing]
    pairs += [("Tax ID", one_line(tax_id) or "not on record")]
    pairs += [("Place of service", place) for place in places if place]
    return Facts("Providers", tuple(pairs))


def _with_npi(name: str, npi: str) -> str:
    return one_line(f"{name}, NPI {npi}" if npi else f"{name}, no NPI on record")


def _place(line: InvoiceLine) -> str:
    if not line.place_of_service:
        return ""
    named = place_of_service_name(line.place_of_service)
    return f"{line.place_of_service} {named}".strip()


def _diagnoses(superbill: Superbill, codes: tuple[str, ...]) -> Block:
    if not codes:
        return Words("Diagnoses", ("No diagnosis is on record for these services.",))
    rows = tuple(
        (Cell(_letter(place)), Cell(code), Cell(one_line(superbill.diagnosis_names.get(code, ""))))
        for place, code in enumerate(codes)
    )
    columns = (Column("Pointer"), Column("ICD-10-CM"), Column("Diagnosis", share=1))
    return Grid("Diagnoses", columns, rows)


def _letter(place: int) -> str:
    """A, B, … as CMS-1500 box 21 points; past L by number."""
    return chr(ord("A") + place) if place < 26 else str(place + 1)


def _services(superbill: Superbill, codes: tuple[str, ...]) -> Block:
    lines = superbill.lines
    columns = (
        Column("Date of service", Holds.DATE), Column("Code"), Column("Service", share=1), Column("POS"),
        Column("Dx"), Column("Units", Holds.NUMBER), Column("Charge", Holds.MONEY), Column("You paid", Holds.MONEY),
        Column("Insurance paid", Holds.MONEY),
    )  # fmt: skip
    settled = [superbill.settled.get(line.pk, Settled()) for line in lines]
    names_provider = len({line.rendering_name for line in lines}) > 1
    rows = tuple(_row(line, each, codes, names_provider) for line, each in zip(lines, settled, strict=True))
    total = Sum(
        "Total",
        (
            money(sum(line.amount_cents for line in lines)),
            money(sum(each.client_paid_cents for each in settled)),
            money(sum(each.insurance_paid_cents for each in settled)),
        ),
        strong=True,
    )
    note = ""
    if superbill.left_out_count:
        left_out = count_of(superbill.left_out_count, "item", "items")
        note = f"Not listed: {left_out} without a procedure code."
    return Grid("Services", columns, rows, (total,), note)


def _row(line: InvoiceLine, settled: Settled, codes: tuple[str, ...], names_provider: bool) -> tuple[Cell, ...]:
    pointers = "".join(_letter(codes.index(code)) for code in line.diagnosis_codes)
    return (
        Cell(us_date(line.service_on)),
        Cell(one_line(line.code), one_line(" ".join(line.modifiers))),
        Cell(one_line(line.name), one_line(line.rendering_name) if names_provider else ""),
        Cell(line.place_of_service),
        Cell(pointers),
        Cell(str(line.units)),
        Cell(money(line.amount_cents)),
        Cell(money(settled.client_paid_cents)),
        Cell(money(settled.insurance_paid_cents)),
    )


_SAID = ("This is no bill. It lists services for a claim that you send to your insurer yourself.",)
