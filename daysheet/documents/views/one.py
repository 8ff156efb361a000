"""The invoice, superbill and receipt of one invoice or payment, as they are now; and documents that were made."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of

from ..forms import MakeForm
from ..papers import Kind
from ..queries.made import made_document
from ..queries.made import made_together as papers_made_together
from ..queries.subjects import clients_payment, invoice_numbered
from ..rendering import invoice_papers, receipt_papers, superbill_papers
from .answers import paper_page, pdf_answer
from .client import email_url, made_answer


@require_http_methods(["GET", "HEAD", "POST"])
def of_invoice(request: HttpRequest, number: int, kind: Kind) -> HttpResponse:
    """An invoice as it is printed, or its superbill."""
    actor = actor_of(request)
    invoice = invoice_numbered(actor, number)
    if kind is Kind.INVOICE:
        papers = invoice_papers(actor, [invoice.pk])
    else:
        papers = superbill_papers(actor, [invoice.client_id], invoice_ids=[invoice.pk])
    context = {
        "heading": f"{kind.label}: {invoice.client_name}" if kind is Kind.SUPERBILL else f"Invoice {number}",
        "side": "Ledger", "client_id": invoice.client_id, "make_form": MakeForm(),
        "back_url": practice_url(actor, "invoicing:invoice", number=number), "back_label": f"Invoice {number}",
        "empty": "The invoice is void, or no line of it has a procedure code: an insurer could do nothing with it.",
    }  # fmt: skip
    if request.method != "POST":
        return paper_page(request, papers, context)
    return made_answer(request, actor, papers, context)


@require_http_methods(["GET", "HEAD", "POST"])
def receipt(request: HttpRequest, payment: UUID) -> HttpResponse:
    """The receipt of a client's payment."""
    actor = actor_of(request)
    found = clients_payment(actor, payment)
    papers = receipt_papers(actor, [payment])
    context = {
        "heading": "Receipt", "side": "Ledger", "client_id": found.client_id, "make_form": MakeForm(),
        "back_url": practice_url(actor, "payments:payment", payment=payment), "back_label": "The payment",
    }  # fmt: skip
    if request.method != "POST":
        return paper_page(request, papers, context)
    return made_answer(request, actor, papers, context)


@require_safe
def document(request: HttpRequest, document: UUID) -> HttpResponse:
    """A document as it was made."""
    actor = actor_of(request)
    row, paper = made_document(actor, document)
    context = {
        "heading": row.kind, "side": "Documents", "client_id": paper.client_id, "made": row,
        "pdf_url": practice_url(actor, "documents:document_pdf", document=document),
        "email_url": email_url(actor, [document], document),
        "back_url": practice_url(actor, "documents:client_documents", client=paper.client_id),
        "back_label": "Documents",
    }  # fmt: skip
    return paper_page(request, [paper], context)


@require_safe
def document_pdf(request: HttpRequest, document: UUID) -> HttpResponse:
    """Its file."""
    row, paper = made_document(actor_of(request), document)
    return pdf_answer(request, [paper], f"{_file_name(paper.kind)}-{row.made_at:%Y-%m-%d}")


@require_safe
def made_together(request: HttpRequest, made_in: UUID) -> HttpResponse:
    """All documents that one request made for a client."""
    actor = actor_of(request)
    papers = papers_made_together(actor, made_in)
    context = {
        "heading": f"{len(papers)} documents", "side": "Documents", "client_id": papers[0].client_id,
        "pdf_url": practice_url(actor, "documents:made_together_pdf", made_in=made_in),
        "email_url": email_url(actor, [], made_in),
        "back_url": practice_url(actor, "documents:client_documents", client=papers[0].client_id),
        "back_label": "Documents",
    }  # fmt: skip
    return paper_page(request, papers, context)


@require_safe
def made_together_pdf(request: HttpRequest, made_in: UUID) -> HttpResponse:
    """Their one file."""
    papers = papers_made_together(actor_of(request), made_in)
    return pdf_answer(request, papers, f"{_file_name(papers[0].kind)}s")


def _file_name(kind: Kind) -> str:
    return kind.label.lower().replace(" ", "-")
