"""One page of the batch search: which dates it shows, what is ticked and edited on it and elsewhere, and what it must
carry along. Nothing is stored between two pages: the form carries what differs from how the dates came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, groupby
from operator import attrgetter
from uuid import UUID

from django.http import QueryDict

from daysheet.kit.numbers import page_from
from daysheet.practices.actor import Actor

from ..batch_form import BASES, EDIT_PREFIX, Ticks, edited_services, read_id, read_ticks, write_ids
from ..forecast import Forecast
from ..forms import LineEditForm
from ..models import Batch
from ..queries.batch_search import (
    ClientRows,
    DateRow,
    FoundDate,
    FoundPart,
    SearchFilters,
    find_first_dates,
    find_unbilled_dates,
    lines_of_services,
    price_dates,
)
from ..queries.choices import provider_choices
from ..queries.lines import LineView
from ..selection import LineEdit

CLIENTS_PER_PAGE = 50
#: Buttons and hidden fields that a page writes anew.
_NOT_CARRIED = frozenset(
    {
        "csrfmiddlewaretoken",
        "create",
        "confirmed",
        "go",
        "select",
        "edit",
        "recalculate",
        "batch_id",
        "expected_count",
        "expected_cents",
    }
)


@dataclass(frozen=True, slots=True)
class PageRow:
    """A date of service with its tick, and its edit forms where they are open."""

    date: DateRow
    is_ticked: bool
    forms: tuple[tuple[LineView, LineEditForm], ...] = ()


@dataclass(frozen=True, slots=True)
class PageClient:
    """A client of the page."""

    client_id: UUID
    name: str
    rows: tuple[PageRow, ...]
    amount_cents: int


@dataclass(frozen=True, slots=True)
class BatchView:
    """What the template shows. Counts are dates of service; amounts in cents."""

    clients: tuple[PageClient, ...]
    client_count: int
    date_count: int
    ticked_count: int
    ticked_here_count: int
    ticked_here_cents: int
    number: int
    page_count: int
    base: str
    on: str
    off: str
    shown: str
    grouping: str
    carried_edits: tuple[tuple[str, str], ...]

    @property
    def ticked_elsewhere_count(self) -> int:
        return self.ticked_count - self.ticked_here_count

    @property
    def label(self) -> str:
        """`Clients 101–200 of 4,812`."""
        first = (self.number - 1) * CLIENTS_PER_PAGE + 1
        return f"Clients {first:,}–{first + len(self.clients) - 1:,} of {self.client_count:,}"


class BatchPage:
    """A search with what was sent about it; `sent` is None for a fresh search."""

    def __init__(self, actor: Actor, filters: SearchFilters, sent: QueryDict | None) -> None:
        self.actor = actor
        self.filters = filters
        self.sent = sent if sent is not None else QueryDict()
        wanted = self.sent.get("grouping", "")
        self.grouping = wanted if wanted in Batch.Grouping.values else Batch.Grouping.CLIENT.value
        self.batch_id = read_id(self.sent.get("batch_id", ""))

    @cached_property
    def found(self) -> list[FoundDate]:
        """Every date of the search."""
        return find_unbilled_dates(self.actor, self.filters)

    @cached_property
    def defaults(self) -> dict[UUID, bool]:
        """How each date of the search comes."""
        return {each.visit_id: each.is_default for each in self.found}

    @cached_property
    def ticks(self) -> Ticks:
        base = self.sent.get("select", "")
        if base in BASES:
            return Ticks(base)
        ticks = read_ticks(
            {name: self.sent.get(name, "") for name in ("base", "on", "off", "shown")}, self.sent.getlist("visit")
        )
        return ticks.pruned(self.defaults) if ticks.on or ticks.off else ticks

    @property
    def chosen_visits(self) -> list[UUID]:
        """Every ticked date of the search, on whichever page."""
        return [each.visit_id for each in self.found if self._is_ticked(each)]

    @property
    def was_overtaken(self) -> bool:
        """Whether dates were ticked on the page that was sent, and none of them is unbilled any more."""
        return not self.chosen_visits and bool(self.sent.getlist("visit"))

    @cached_property
    def edit_forms(self) -> dict[UUID, LineEditForm]:
        """The edit forms that were sent, by visit service, against what the rules say of them now."""
        wanted = edited_services(self.sent)
        lines = lines_of_services(self.actor, wanted) if wanted else {}
        return {
            service_id: self._edit_form(line, self.sent)
            for service_id, line in lines.items()
            if line.visit_id in self.defaults
        }

    @property
    def has_wrong_edits(self) -> bool:
        return any(not form.is_valid() for form in self.edit_forms.values())

    @cached_property
    def edits(self) -> dict[UUID, LineEdit]:
        """What was really changed."""
        edits = {key: form.edit() for key, form in self.edit_forms.items() if form.is_valid()}
        return {key: edit for key, edit in edits.items() if edit != LineEdit()}

    def was_shown(self, forecast: Forecast) -> bool:
        """Whether the yes was said to exactly this count and total."""
        expected = (self.sent.get("expected_count"), self.sent.get("expected_cents"))
        return expected == (str(forecast.invoice_count), str(forecast.total_cents))

    def carried_fields(self) -> list[tuple[str, str]]:
        """Everything that was sent, for the confirm page that works without script."""
        return [(name, value) for name in self.sent for value in self.sent.getlist(name) if name not in _NOT_CARRIED]

    def view(self) -> BatchView:
        """The page that is asked for, priced."""
        number, part = self._part()
        priced = price_dates(self.actor, part.dates, self.edits) if part.dates else []
        clients = [self._page_client(client) for client in priced]
        shown = [each.visit_id for each in part.dates]
        rest = self.ticks.without_page(shown)
        ticked_here = [row for client in clients for row in client.rows if row.is_ticked]
        return BatchView(
            clients=tuple(clients),
            client_count=part.client_count,
            date_count=part.date_count,
            ticked_count=part.ticked_count,
            ticked_here_count=len(ticked_here),
            ticked_here_cents=sum(row.date.amount_cents for row in ticked_here),
            number=number,
            page_count=_pages(part.client_count),
            base=self.ticks.base,
            on=write_ids(rest.on),
            off=write_ids(rest.off),
            shown=write_ids(shown),
            grouping=self.grouping,
            carried_edits=tuple(self._carried_edits(clients)),
        )

    def _part(self) -> tuple[int, FoundPart]:
        """The page that is asked for, by its number. A fresh search is at its first; what was sent about one is looked
        up in all of it."""
        if not self.sent:
            return 1, find_first_dates(self.actor, self.filters, CLIENTS_PER_PAGE)
        groups = [list(group) for _, group in groupby(self.found, key=attrgetter("client_id"))]
        number = min(self._page_number(groups), _pages(len(groups)))
        here = groups[(number - 1) * CLIENTS_PER_PAGE : number * CLIENTS_PER_PAGE]
        return number, FoundPart(list(chain.from_iterable(here)), len(groups), len(self.found), len(self.chosen_visits))

    def _is_ticked(self, each: FoundDate) -> bool:
        return self.ticks.is_ticked(each.visit_id, each.is_default)

    def _page_number(self, groups: list[list[FoundDate]]) -> int:
        wrong = next((key for key, form in self.edit_forms.items() if not form.is_valid()), None)
        if wrong is not None and "go" not in self.sent:
            visit_id = self._visit_of[wrong]
            at = next(at for at, group in enumerate(groups) if any(each.visit_id == visit_id for each in group))
            return at // CLIENTS_PER_PAGE + 1
        text = self.sent.get("go") or self.sent.get("here") or "1"
        return page_from(text)

    @cached_property
    def _visit_of(self) -> Mapping[UUID, UUID]:
        lines = lines_of_services(self.actor, list(self.edit_forms))
        return {key: line.visit_id for key, line in lines.items()}

    @cached_property
    def _providers(self) -> list[tuple[str, str]]:
        return provider_choices(self.actor)

    def _edit_form(self, line: LineView, sent: QueryDict | None) -> LineEditForm:
        return LineEditForm(
            sent,
            providers=self._providers,
            prefix=f"{EDIT_PREFIX}{line.visit_service_id}",
            initial=line.initial,
            line_label=line.label,
        )

    def _page_client(self, client: ClientRows) -> PageClient:
        rows = tuple(self._page_row(date) for date in client.dates)
        return PageClient(client.client_id, client.name, rows, client.amount_cents)

    def _page_row(self, date: DateRow) -> PageRow:
        is_ticked = self.ticks.is_ticked(date.visit_id, date.is_default)
        is_open = self.sent.get("edit") == str(date.visit_id) or any(
            line.visit_service_id in self.edit_forms for line in date.lines
        )
        if not is_open:
            return PageRow(date, is_ticked)
        forms = (self.edit_forms.get(line.visit_service_id) or self._edit_form(line, None) for line in date.lines)
        return PageRow(date, is_ticked, tuple(zip(date.lines, forms, strict=True)))

    def _carried_edits(self, clients: list[PageClient]) -> list[tuple[str, str]]:
        """The edit fields of dates that other pages show."""
        here = {line.visit_service_id for client in clients for row in client.rows for line, _ in row.forms}
        return [
            (name, value)
            for name in self.sent
            for value in self.sent.getlist(name)
            if (edited := edited_services([name])) and not edited & here
        ]


def _pages(clients: int) -> int:
    return max(-(-clients // CLIENTS_PER_PAGE), 1)
