"""Reads about clients."""

from .access import get_client, lock_clients, visible_clients
from .billing import (
    BillTo,
    CoverageRow,
    InsurerDetails,
    bill_to,
    billing_providers,
    coverages_for,
    get_coverage,
    get_payer,
    insurer_details,
    payer_choices,
    payers,
    rendering_providers,
)
from .income import IncomeRow, income_history
from .notes import Note, NoteText, billing_notes
from .people import (
    AssignedStaff,
    ClientDetails,
    ClientRow,
    DiagnosisRow,
    assignable_staff,
    client_details,
    client_row,
    get_diagnosis,
    matching_clients,
    search_clients,
)

__all__ = [
    "AssignedStaff",
    "BillTo",
    "ClientDetails",
    "ClientRow",
    "CoverageRow",
    "DiagnosisRow",
    "IncomeRow",
    "InsurerDetails",
    "Note",
    "NoteText",
    "assignable_staff",
    "bill_to",
    "billing_notes",
    "billing_providers",
    "client_details",
    "client_row",
    "coverages_for",
    "get_client",
    "get_coverage",
    "get_diagnosis",
    "get_payer",
    "income_history",
    "insurer_details",
    "lock_clients",
    "matching_clients",
    "payer_choices",
    "payers",
    "rendering_providers",
    "search_clients",
    "visible_clients",
]
