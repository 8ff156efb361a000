"""What an entry is called on a page. One place, so that the ledger and a payment's page use the same words."""

from __future__ import annotations

from daysheet.ledger.models import Account

_WORDS = {
    (Account.CLIENT_RECEIVABLE, Account.REVENUE): "Charge",
    (Account.INSURANCE_RECEIVABLE, Account.REVENUE): "Charge to insurance",
    (Account.CASH, Account.CREDIT): "Payment received",
    (Account.CREDIT, Account.CLIENT_RECEIVABLE): "Payment applied",
    (Account.CREDIT, Account.INSURANCE_RECEIVABLE): "Insurance payment applied",
    (Account.CLIENT_RECEIVABLE, Account.INSURANCE_RECEIVABLE): "Responsibility moved to the client",
    (Account.INSURANCE_RECEIVABLE, Account.CLIENT_RECEIVABLE): "Responsibility moved to insurance",
    (Account.WRITE_OFF, Account.CLIENT_RECEIVABLE): "Write-off",
    (Account.WRITE_OFF, Account.INSURANCE_RECEIVABLE): "Insurance write-off",
    (Account.CONTRACTUAL, Account.INSURANCE_RECEIVABLE): "Contractual adjustment",
    (Account.CREDIT, Account.CASH): "Refund",
}


def activity_words(debit: Account, credit: Account, *, is_reversal: bool) -> str:
    """The event of an entry; of a reversal, the event it takes back."""
    if is_reversal:
        return f"{activity_words(credit, debit, is_reversal=False)}, reversed"
    return _WORDS.get((debit, credit), f"{credit.label} to {debit.label}")
