"""Who gets what which way, and in which words. No database, no clock."""

from __future__ import annotations

from enum import StrEnum


class Ways(StrEnum):
    """How a whole run goes out."""

    PRINT = "print"
    EMAIL = "email"
    PREFERRED = "preferred"

    @property
    def label(self) -> str:
        return _WAYS[self]


_WAYS = {
    Ways.PRINT: "One PDF to print",
    Ways.EMAIL: "An e-mail to each",
    Ways.PREFERRED: "As each client prefers",
}


def way_of(ways: Ways, *, prefers: str, has_address: bool) -> str:
    """`print` or `email` for one client. Who prefers paper, or has no address to write to, is printed where the run
    follows preferences; a run of e-mails stays one, and says who could not be reached."""
    if ways is not Ways.PREFERRED:
        return ways.value
    return "email" if not unreachable(prefers=prefers, has_address=has_address) else "print"


def unreachable(*, prefers: str, has_address: bool) -> str:
    """Why a client gets no e-mail, as a code; empty for who does."""
    if prefers == "paper":
        return "prefers_paper"
    return "" if has_address else "no_address"


#: What an e-mail says unless a person writes something else. It names no service, no diagnosis and no amount (D3).
EMAIL_TEXTS = {
    "statement": "Your statement is attached as a PDF file.\n\nPlease contact us if you have a question about it.",
    "invoice": "Your invoice is attached as a PDF file.\n\nPlease contact us if you have a question about it.",
    "superbill": "The document you can send to your insurer is attached as a PDF file.\n\n"
    "Please contact us if you have a question about it.",
    "receipt": "The receipt for your payment is attached as a PDF file. Thank you.",
    "estimate": "The estimate we promised you is attached as a PDF file.\n\n"
    "Please contact us if you have a question about it.",
}
#: Names of attachments: they stand in lists of messages beside the subject.
FILE_NAMES = {
    "statement": "statement.pdf",
    "invoice": "invoice.pdf",
    "superbill": "document.pdf",
    "receipt": "receipt.pdf",
    "estimate": "estimate.pdf",
}
SUBJECTS = {
    "statement": "Your statement",
    "invoice": "Your invoice",
    "superbill": "A document for you",
    "receipt": "Your receipt",
    "estimate": "A document for you",
}


#: Why a client of a run got nothing, by code.
SKIPPED = {
    "no_address": "No e-mail address is on record.",
    "prefers_paper": "Wants paper, not e-mail.",
    "owes_less": "Owes less by now than was asked for.",
    "void": "The invoices were voided since the search.",
    "nothing_coded": "No line has a procedure code: there is nothing to claim.",
    "not_visible": "Whoever started the run may not see the client any more.",
    "unexpected": "Something unexpected stopped it. Nothing was made for this client.",
}


def greeting(name: str) -> str:
    """How an e-mail begins."""
    return f"Dear {name},"
