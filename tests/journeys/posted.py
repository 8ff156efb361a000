"""Clients who owe $40 each, for the journeys of e-mail and print: one with an address, one who wants paper, one without
an address, one whose message goes astray."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from .practice import _Builder


def posted_clients(builder: _Builder) -> None:
    """Mona, Noel, Otis and Quin Posted."""
    from daysheet.clients.actions import edit_client
    from daysheet.invoicing.actions import bill_visit

    for first in ("Mona", "Noel", "Otis", "Quin"):
        client = builder.client(first, "Posted")
        if first != "Noel":
            edit_client(
                builder.owner, client, email=f"{first.lower()}@clients.example",
                documents_by="paper" if first == "Quin" else "",
            )  # fmt: skip
        builder.visit(f"posted_{first.lower()}", client, builder.letter, days_ago=8)
        bill_visit(builder.owner, visit_id=UUID(builder.practice.visits[f"posted_{first.lower()}"]))
