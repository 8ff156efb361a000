"""Every kind as PDF: accessible, the right client on the right page, the same bytes twice, hostile text as text."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pypdfium2
import pytest

from daysheet.clients.actions import add_diagnosis
from daysheet.clients.models import Client
from daysheet.documents.composing.estimates import estimate_papers
from daysheet.documents.estimates.actions import EstimateTerms, ExpectedService, give_estimate
from daysheet.documents.glyphs import MISSING, known_signs, printable
from daysheet.documents.merging import NotTypst, PdfWriter
from daysheet.documents.models import Estimate
from daysheet.documents.papers import Cell, Column, Facts, Grid, Holds, Kind, Letterhead, Paper, Sum, Words, one_line
from daysheet.documents.rendering import (
    Period,
    StatementChoices,
    invoice_papers,
    receipt_papers,
    render_pdf,
    statement_papers,
    superbill_papers,
    write_pdf,
)
from daysheet.documents.typesetting import PART_PAPERS
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.models import Invoice
from daysheet.kit.ids import new_id
from daysheet.kit.money import Money
from daysheet.payments.actions import accept_payment
from daysheet.payments.models import Payment
from daysheet.reports.tests.conftest import TODAY, Week

from .reading import assert_accessible, headings, page_texts, plain

ALL = Period(date(2026, 1, 1), TODAY)
Papers = Callable[[Week, list[UUID]], list[Paper]]


def _invoices(week: Week, clients: list[UUID]) -> list[Paper]:
    rows = Invoice.objects.filter(client_id__in=clients).order_by("number")
    return invoice_papers(week.biller, list(rows.values_list("pk", flat=True)))


def _receipts(week: Week, clients: list[UUID]) -> list[Paper]:
    rows = Payment.objects.filter(client_id__in=clients).order_by("pk")
    return receipt_papers(week.biller, list(rows.values_list("pk", flat=True)))


def _estimates(week: Week, clients: list[UUID]) -> list[Paper]:
    """Each client's one estimate, given when it is first asked for."""
    Client.objects.filter(pk__in=clients).update(birth_on=date(1984, 5, 6))
    service = ExpectedService(week.clinic.talk.pk, week.clinic.cast.carol.staff_member_id, 1, 15000)
    terms = EstimateTerms(TODAY, TODAY, "Talking", week.clinic.location.pk)
    for client in clients:
        if not Estimate.objects.filter(client_id=client).exists():
            give_estimate(week.biller, client, estimate_id=new_id(), terms=terms, services=[service])
    rows = Estimate.objects.filter(client_id__in=clients).order_by("pk")
    return estimate_papers(week.biller, list(rows.values_list("pk", flat=True)))


KINDS: dict[Kind, Papers] = {
    Kind.STATEMENT: lambda week, clients: statement_papers(week.biller, clients, StatementChoices(ALL)),
    Kind.INVOICE: _invoices,
    Kind.RECEIPT: _receipts,
    Kind.ESTIMATE: _estimates,
    Kind.SUPERBILL: lambda week, clients: superbill_papers(week.biller, clients, period=ALL),
}
HOSTILE = (
    "#panic()", "<b>bold</b> & </div>", "$x$ *strong* _em_ `raw` @ref <label>", "\\u{41} \\ \" ' )))(((", "מרים כהן",
    "فاطمة الزهراء", "Zoë 😀🦊 Nguyễn", "W" * 200, "two\nlines\r\nand\ttab", "5 0 R (U1x0y0) endobj stream",
    "{{ 7*7 }}",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_accessible_and_names_the_right_client(week: Week, kind: Kind) -> None:
    papers = KINDS[kind](week, [week.ruiz, week.long])
    rendered = render_pdf(papers)
    assert_accessible(rendered.pdf)
    assert headings(rendered.pdf) == [paper.title for paper in papers]
    texts = page_texts(rendered.pdf)
    assert len(texts) == len(rendered.page_clients)
    names = {week.ruiz: "Ana Ruiz", week.long: "Ana Long"}
    for text, client in zip(texts, rendered.page_clients, strict=True):
        assert names[client] in text
        assert not any(name in text for pk, name in names.items() if pk != client)
    _assert_says(texts, rendered.page_clients, papers)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_books_give_the_same_bytes(week: Week, kind: Kind) -> None:
    first = render_pdf(KINDS[kind](week, [week.ruiz, week.long]))
    assert render_pdf(KINDS[kind](week, [week.ruiz, week.long])) == first
    assert len(first.sha256) == 64


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_name_comes_out_as_text_in_every_kind(week: Week, hostile: str) -> None:
    names = {"first_name": hostile[:60], "last_name": hostile[60:120] or "Ruiz", "address_1": hostile[:80]}
    Client.objects.filter(pk=week.ruiz).update(**names)
    for kind, papers_of in KINDS.items():
        papers = papers_of(week, [week.ruiz])
        if kind is Kind.INVOICE:  # an invoice prints the name that it copied when it was issued (B9)
            papers = [replace(paper, addressee=(one_line(hostile),), identity=one_line(hostile)) for paper in papers]
        rendered = render_pdf(papers)
        assert_accessible(rendered.pdf)
        _assert_says(page_texts(rendered.pdf), rendered.page_clients, papers)


@pytest.mark.parametrize("lines", [4, 12, 60])
def test_a_long_address_lies_over_nothing(week: Week, lines: int) -> None:
    """It is set smaller, and what does not fit the window even so pushes down what follows."""
    (paper,) = KINDS[Kind.STATEMENT](week, [week.ruiz])
    addressee = tuple(f"W{number} {'W ' * 20}" for number in range(lines))
    document = pypdfium2.PdfDocument(render_pdf([replace(paper, addressee=addressee, identity="-")]).pdf)
    seen = 0
    with closing(document), closing(document[0]) as page, closing(page.get_textpage()) as text:
        with closing(text.search("Account activity")) as found:
            activity = found.get_next()
        heading = text.get_charbox(activity[0])[3] if activity else 0
        for index in range(text.count_chars()):
            if text.get_text_range(index, 1) == "W":
                seen += 1
                assert text.get_charbox(index)[1] > heading
    assert seen == 21 * lines or lines == 60


@pytest.mark.parametrize("hostile", [*HOSTILE, "\x00\x01\x1b[31m\x7f\x9f", "\u202e$0.00\u2066", "中文 \U000e0041"])
def test_hostile_text_in_every_place_of_a_paper(hostile: str) -> None:
    said = one_line(hostile)
    paper = replace(
        _paper(0), title=said, identity=said, addressee=(said, said), facts=((said, said),), headline=(said, said),
        banner=said, letterhead=Letterhead(said, (said,), said, "#1f4d3a"),
        blocks=(
            Grid(said, (Column(said, share=1), Column(said, Holds.MONEY)), ((Cell(said, said), Cell("$1.00")),),
                 (Sum(said, ("$1.00",)),), said),
            Facts(said, ((said, said),)),
            Words(said, (said,)),
        ),
    )  # fmt: skip
    rendered = render_pdf([paper], title=said)
    assert_accessible(rendered.pdf)
    for letter in "\u202e\u2066\x00\x1b":
        assert letter not in "".join(page_texts(rendered.pdf))
    if hostile.isascii() and hostile.isprintable():
        assert "".join(page_texts(rendered.pdf)).replace(" ", "").count(plain(said).replace(" ", "")) >= 10


def test_a_sign_that_no_font_has_is_shown_as_a_box() -> None:
    assert printable("中 and 😀 and ל") == f"{MISSING} and 😀 and ל"
    assert {"A", "é", "ل", "ש", "🦊", "–", "−", MISSING, "\ufffd"} <= known_signs()


def test_two_hundred_lines_break_over_pages_under_a_repeated_heading() -> None:
    rows = tuple((Cell(f"11/{day % 28 + 1:02d}/2026"), Cell(f"Session {day}"), Cell(str(Money(10100 + day))))
                 for day in range(200))  # fmt: skip
    total = str(Money(sum(10100 + day for day in range(200))))
    columns = (Column("Date of service", Holds.DATE), Column("Service", share=1), Column("Amount", Holds.MONEY))
    paper = replace(_paper(0), blocks=(Grid("Services", columns, rows, (Sum("Total", (total,), strong=True),)),))
    rendered = render_pdf([paper])
    assert_accessible(rendered.pdf)
    texts = page_texts(rendered.pdf)
    assert len(texts) > 4
    for number, text in enumerate(texts, start=1):
        assert f"Page {number} of {len(texts)}" in text
        assert "Date of service Service Amount" in text
    read = [amount for text in texts for amount in text.split() if amount.startswith("$")]
    assert sorted(read) == sorted([row[2].text for row in rows] + [total])


def test_many_papers_in_one_file_keep_pages_tags_and_clients_apart() -> None:
    papers = [_paper(number, rows=number * 4 % 60) for number in range(PART_PAPERS * 4 + 1)]
    rendered = render_pdf(papers)
    assert_accessible(rendered.pdf)
    assert headings(rendered.pdf) == ["Statement"] * len(papers)
    texts = page_texts(rendered.pdf)
    assert len(texts) == len(rendered.page_clients) == sum(rendered.page_counts) > len(papers)
    for text, client in zip(texts, rendered.page_clients, strict=True):
        assert f"Client number {client.int} ·" in text
    assert list(dict.fromkeys(rendered.page_clients)) == [paper.client_id for paper in papers]


def test_no_paper_makes_no_file() -> None:
    with pytest.raises(NotTypst):
        render_pdf([])
    with pytest.raises(NotTypst):
        PdfWriter(io.BytesIO()).append(b"%PDF-1.7\nstartxref\n9\n%%EOF", [])


def test_a_generator_of_papers_is_written_as_it_comes() -> None:
    buffer = io.BytesIO()
    written = write_pdf((_paper(number) for number in range(25)), buffer)
    assert written.page_clients == tuple(UUID(int=number) for number in range(25))
    assert_accessible(buffer.getvalue())


def test_diagnoses_stand_on_superbills_only(week: Week) -> None:
    shop = week.clinic
    client = shop.client("Dx")
    add_diagnosis(shop.owner, client, code="F41.1", name="Anxious", starts_on=date(2026, 1, 1))
    bill_visit(week.biller, visit_id=shop.visit(client, shop.talk)[0])
    accept_payment(
        week.biller, request_key=uuid4(), client_id=client, amount_cents=15000, method="cash",
        received_on=TODAY, applications=None,
    )  # fmt: skip
    for kind, papers_of in KINDS.items():
        text = " ".join(page_texts(render_pdf(papers_of(week, [client])).pdf))
        assert ("F41.1" in text) == (kind is Kind.SUPERBILL), kind
        assert ("Anxious" in text) == (kind is Kind.SUPERBILL), kind


def _assert_says(texts: list[str], page_clients: tuple[UUID, ...], papers: list[Paper]) -> None:
    """Every text of every paper is on its client's pages. Letters only: lines break anywhere, and a reader may give
    words written from right to left in either order."""
    for paper in papers:
        pages = [text for text, client in zip(texts, page_clients, strict=True) if client == paper.client_id]
        read = sorted(_letters(" ".join(pages)))
        said = _letters(" ".join(_texts(paper)))
        missing = set(said) - set(read)
        assert not missing, missing
        for text in _texts(paper):
            if text.isascii():
                assert _letters(text) in _letters(" ".join(pages)), text


def _letters(text: str) -> str:
    return "".join(plain(text).split()).replace("\ufe0f", "")


def _texts(paper: Paper) -> list[str]:
    found = [paper.title, paper.identity, *paper.addressee, *(text for fact in paper.facts for text in fact)]
    for block in paper.blocks:
        if isinstance(block, Grid):
            found += [column.label for column in block.columns]
            found += [text for row in block.rows for cell in row for text in (cell.text, cell.small)]
            found += [text for each in block.sums for text in (each.label, *each.amounts)]
        elif isinstance(block, Facts):
            found += [text for pair in block.pairs for text in pair]
        else:
            found += block.paragraphs
    return [text for text in found if text]


def _paper(number: int, rows: int = 3) -> Paper:
    columns = (Column("Date", Holds.DATE), Column("What", share=1), Column("Amount", Holds.MONEY))
    lines = tuple((Cell("11/02/2026"), Cell("Session", "in brief"), Cell("$1.00")) for _ in range(rows))
    head = Letterhead("Alder Clinic", ("1 Main St",), "Pay-to address: the practice’s", "#1f4d3a")
    return Paper(
        kind=Kind.STATEMENT, client_id=UUID(int=number), title="Statement",
        identity=f"Client number {number} · Statement", letterhead=head, addressee=(f"Client {number}",),
        facts=(("Date", "11/16/2026"),), blocks=(Grid("Activity", columns, lines),), has_window=True,
    )  # fmt: skip
