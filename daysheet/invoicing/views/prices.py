"""What would this visit bill, and why. GET tells it as things stand; POST, which writes nothing, as the form that is
sent would bill it: with what was typed, and beside the other dates that are on it."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.views.decorators.http import require_http_methods

from daysheet.practices.actor import Actor
from daysheet.web.pages import practice_url
from daysheet.web.requests import next_url, shows_record_of
from daysheet.web.views import render_page

from ..batch_form import EDIT_PREFIX, edited_services, read_id
from ..explaining import Explanation
from ..forms import LineEditForm
from ..links import agenda_url, invoice_url
from ..mending import Mend, mend_of
from ..queries import prices
from ..queries.batch_search import lines_of_services
from ..queries.choices import provider_choices
from ..queries.lines import unbilled_services
from ..selection import LineEdit
from .requests import PracticeRequest

_PAGE = "invoicing/visit_price.html"


@require_http_methods(["GET", "HEAD", "POST"])
def visit_price(request: PracticeRequest, visit: UUID) -> HttpResponse:
    """The page, or the dialogue that HTMX puts over the editor and the batch search."""
    actor, sent = request.actor, request.POST
    beside = _beside(sent)
    price = prices.visit_price(
        actor, visit, _typed(actor, sent), beside=beside, on_purpose=str(visit) in sent.getlist("visit")
    )
    shows_record_of(request, price.visit.client_id)
    number = price.visit.invoice_number
    context = {
        "price": price,
        "mends": [(each, _mend(request, each)) for each in price.lines],
        "invoice_url": invoice_url(actor, number) if number else "",
        "back_url": next_url(request, agenda_url(actor, price.visit.service_on) or ""),
        "section": "Billing",
    }
    return render_page(request, _PAGE, context, part="dialog")


def _beside(sent: QueryDict) -> Collection[UUID]:
    """The services of the other dates on the form: lines of the editor, ticked dates of the batch search."""
    lines = [read_id(text) for text in sent.getlist("line")]
    visits = [read_id(text) for text in sent.getlist("visit")]
    ticked = unbilled_services([each for each in visits if each])
    return {*(each for each in lines if each), *ticked}


def _typed(actor: Actor, sent: QueryDict) -> dict[UUID, LineEdit]:
    """What was typed and can be read, against what the rules say."""
    wanted = edited_services(sent)
    if not wanted:
        return {}
    providers, edits = provider_choices(actor), {}
    for service_id, line in lines_of_services(actor, wanted).items():
        form = LineEditForm(sent, providers=providers, prefix=f"{EDIT_PREFIX}{service_id}", initial=line.initial)
        if form.is_valid():
            edits[service_id] = form.edit()
    return edits


def _mend(request: PracticeRequest, line: Explanation) -> Mend | None:
    if line.refusal is None:
        return None
    return mend_of(
        request.actor,
        line.refusal.code,
        client_id=line.refusal.client_id,
        service_on=line.refusal.service_on,
        staff_member_id=line.refusal.staff_member_id,
        next_url=practice_url(request.actor, "invoicing:visit_price", visit=line.line.visit_id),
    )
