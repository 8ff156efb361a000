"""Every step of docs/money/corrections.md, done by the real actions on a real database."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit, void_invoice
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.errors import Refusal
from daysheet.kit.money import Money
from daysheet.ledger.models import Entry
from daysheet.ledger.queries import client_balances, standing_entries
from daysheet.payments.corrections import (
    change_responsibility,
    refund_payment,
    remove_write_off,
    reverse_payment,
    unapply,
    write_off,
)
from daysheet.payments.rebilling import void_and_rebill
from tests.billing import Clinic, build_clinic
from tests.people import Cast
from tests.worked import rows_under

from .desk import pay

HEADINGS = ["Change responsibility", "Write-off", "Refund budget", "Void", "Void and rebill"]
WHY = {"reason": "As the page says"}


@dataclass
class Account:
    """The client of the page: one date of service billed, and the payment that is made."""

    clinic: Clinic
    client: UUID
    invoice: UUID
    line: UUID
    payment: UUID | None = None
    last_write_off: UUID | None = None

    def do(self, step: str) -> None:
        """One step in the words of the page."""
        for pattern, verb in _STEPS.items():
            found = re.fullmatch(pattern, step)
            if found:
                return verb(self, *found.groups())
        raise AssertionError(f"the page knows a step that this test does not: {step}")

    def stands(self) -> list[int]:
        """Client side, insurance side, credit and what was returned, in cents."""
        live = InvoiceLine.objects.filter(client_id=self.client, ended_at=None)
        sides = list(live.values_list("client_open_cents", "insurance_open_cents"))
        balances = client_balances(self.clinic.biller, self.client)
        client, insurance = (sum(column) for column in zip(*sides, strict=True)) if sides else (0, 0)
        assert (balances.client_due_cents, balances.insurance_due_cents) == (client, insurance)
        out = Entry.objects.filter(client_id=self.client, credit_account="cash")
        return [client, insurance, balances.credit_cents, sum(out.values_list("amount_cents", flat=True))]


@pytest.fixture
def account(cast: Cast) -> Iterator[Account]:
    with practice_transaction(cast.alder.id):
        clinic = build_clinic(cast)
        client = clinic.client(copay_cents=3_000, insured=True)
        visit, _ = clinic.visit(client, clinic.talk)
        bill_visit(clinic.biller, visit_id=visit)
        line = InvoiceLine.objects.get(client_id=client)
        yield Account(clinic, client, line.invoice_id, line.pk)


@pytest.mark.parametrize("heading", HEADINGS)
def test_every_step_of_the_page_comes_out_as_it_says(account: Account, heading: str) -> None:
    assert account.stands() == [3_000, 12_000, 0, 0]
    rows = rows_under("corrections.md", heading)
    assert len(rows) > 3
    for step, *amounts, refused in rows:
        told = ""
        try:
            account.do(step)
        except Refusal as refusal:
            told = refusal.code
        assert (told, account.stands()) == (refused, [Money.parse(each).cents for each in amounts]), step


def _pay(account: Account, amount: str) -> None:
    account.payment = pay(account.clinic.biller, account.client, Money.parse(amount).cents).payment_id


def _move(account: Account, amount: str, side: str) -> None:
    change_responsibility(
        account.clinic.biller, request_key=uuid4(), line_id=account.line, to_side=side,
        amount_cents=Money.parse(amount).cents, **WHY,
    )  # fmt: skip


def _write_off(account: Account, amount: str, side: str) -> None:
    write_off(
        account.clinic.biller, request_key=uuid4(), line_id=account.line, side=side,
        amount_cents=Money.parse(amount).cents, **WHY,
    )  # fmt: skip


def _take_back(account: Account, amount: str) -> None:
    entries = standing_entries(account.clinic.biller, line_id=account.line)
    standing = [
        each.id for each in entries if (each.debit, each.amount_cents) == ("write_off", Money.parse(amount).cents)
    ]
    account.last_write_off = standing[0] if standing else account.last_write_off
    assert account.last_write_off
    remove_write_off(
        account.clinic.biller, request_key=uuid4(), line_id=account.line, entry_id=account.last_write_off, **WHY
    )


def _refund(account: Account, amount: str) -> None:
    assert account.payment
    biller = account.clinic.biller
    refund_payment(
        biller, request_key=uuid4(), payment_id=account.payment, amount_cents=Money.parse(amount).cents,
        refunded_on=biller.today, **WHY,
    )  # fmt: skip


def _unapply(account: Account) -> None:
    assert account.payment
    unapply(account.clinic.biller, request_key=uuid4(), payment_id=account.payment, **WHY)


def _delete(account: Account) -> None:
    assert account.payment
    reverse_payment(account.clinic.biller, request_key=uuid4(), payment_id=account.payment, **WHY)


def _void(account: Account) -> None:
    void_invoice(account.clinic.biller, invoice_id=account.invoice, **WHY)


def _rebill(account: Account) -> None:
    void_and_rebill(account.clinic.biller, request_key=uuid4(), invoice_id=account.invoice, **WHY)
    live = InvoiceLine.objects.get(client_id=account.client, ended_at=None)
    account.invoice, account.line = live.invoice_id, live.pk


_STEPS: dict[str, Callable[..., None]] = {
    r"pay ([\d.]+)": _pay,
    r"move ([\d.]+) to (client|insurance)": _move,
    r"write off ([\d.]+) of (client|insurance)": _write_off,
    r"take back ([\d.]+)": _take_back,
    r"refund ([\d.]+)": _refund,
    r"unapply": _unapply,
    r"delete": _delete,
    r"void": _void,
    r"void and rebill": _rebill,
}
