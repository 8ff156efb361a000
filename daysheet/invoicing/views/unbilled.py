"""Unbilled: what has been done and not billed, oldest first, with what stops each date of service."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from daysheet.practices.actor import Actor
from daysheet.web.requests import page_number
from daysheet.web.views import is_htmx, render_page

from ..links import agenda_url
from ..mending import Mend, agenda_mend, mend_of
from ..queries.choices import filter_choices
from ..queries.unbilled import Stop, UnbilledRow, unbilled_page
from .requests import PracticeRequest, id_or_none


@require_safe
def unbilled(request: PracticeRequest) -> HttpResponse:
    """One page of unbilled dates of service; `?staff=` narrows, `?back=all` looks further back. The count in the top
    bar of any page asks here for itself, once something was billed in place."""
    if is_htmx(request) and request.headers.get("HX-Target") == "unbilled-count":
        return render_page(request, "web/parts/unbilled_count.html", part="words")
    staff = id_or_none(request.GET.get("staff"))
    look_back = request.GET.get("back") != "all"
    page = unbilled_page(request.actor, page=page_number(request), staff_member_id=staff, look_back=look_back)
    here = request.get_full_path()
    context = {
        "page": page,
        "rows": [
            (row, _mend(request.actor, row, here), agenda_url(request.actor, row.service_on)) for row in page.rows
        ],
        "staff": str(staff or ""),
        "staff_choices": filter_choices(request.actor).staff,
        "section": "Billing",
        "here": here,
        "today": request.actor.today,
    }
    return render_page(request, "invoicing/unbilled.html", context)


_AGENDA_LABELS = {
    Stop.NO_SERVICE: "Add a service type",
    Stop.NO_FEE_DECISION: "Decide on the fee",
    Stop.NOT_MARKED: "Mark it Kept",
    Stop.UPCOMING: "Open the Agenda",
}


def _mend(actor: Actor, row: UnbilledRow, here: str) -> Mend | None:
    if row.refusal:
        return mend_of(
            actor,
            row.refusal.code,
            client_id=row.client_id,
            service_on=row.service_on,
            staff_member_id=row.refusal.staff_member_id,
            next_url=here,
        )
    label = _AGENDA_LABELS.get(row.stop)
    return agenda_mend(actor, row.service_on, label) if label else None
