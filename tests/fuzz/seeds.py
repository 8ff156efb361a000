"""What once broke something, found by fuzzing."""

from __future__ import annotations

from .hostile import Fields

MANY = "1" * 5000
#: (address, what its query string said).
QUERIES: list[tuple[str, Fields]] = [
    *((name, [("page", page)]) for page in ("²", MANY, "0", "-1", "١") for name in (
        "automation:automation", "automation:night", "cards:history", "claims:list", "clients:list",
        "documents:client_documents", "documents:owed_estimates", "imports:preview", "imports:upload",
        "invoicing:batch_history", "invoicing:batch_run", "invoicing:unbilled", "mail:delivery_log", "mailings:run",
        "payments:ledger", "reports:credits", "reports:payments", "schedule:client_appointments", "staff:list",
    )),
    *(("staff:licenses", [("year", year)]) for year in ("²", MANY)),
    *(("payments:accept_payment", [("invoice", number)]) for number in ("²", MANY, "1" * 18)),
]  # fmt: skip
#: (address, fields beside those of its page).
FORMS: list[tuple[str, Fields]] = [
    ("invoicing:new_invoice", [("items-TOTAL_FORMS", "²")]),
    ("invoicing:new_invoice", [("items-TOTAL_FORMS", MANY)]),
    ("invoicing:new_invoice", [("drop", "²")]),
    ("invoicing:new_invoice", [("drop", MANY)]),
    ("invoicing:batch", [("go", "²")]),
    ("mailings:batch_statements", [("go", "²")]),
    ("staff:edit", [("npi", "1٢٤٥٣١٩٥٩9")]),
    ("practices:settings", [("npi", "1٢٤٥٣١٩٥٩9")]),
]
