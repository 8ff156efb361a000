"""An insurer's fee schedule as a table, for the file that is downloaded."""

from __future__ import annotations

from uuid import UUID

from daysheet.kit.tables import Cell, Table, day, money, text
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import PayerRate
from .payer_prices import priced_payer


@query(Permission.ADMINISTRATOR)
def fee_schedule_table(actor: Actor, payer_id: UUID) -> Table:
    """Every rate of a service type in use with its first day; an empty one where from that day on there is none.

    Insurer and service type stand under the ID that an import gave them, else under name and code. (Another type may
    have an archived one's code by now.) Raises NotFound.
    """
    payer = priced_payer(actor, payer_id)
    rates = PayerRate.objects.filter(payer=payer, service_type__archived_at=None).select_related("service_type")
    columns = (text("Insurer"), text("Service Type"), day("From"), money("Rate"))
    rows = tuple(
        (
            Cell(payer.external_id or payer.name),
            Cell(rate.service_type.external_id or rate.service_type.code),
            Cell(rate.starts_on),
            Cell(rate.rate_cents),
        )
        for rate in rates.order_by("service_type__code", "service_type_id", "starts_on")
    )
    return Table("Fee schedule", columns, rows)
