"""The New Invoice editor between two requests: which dates it holds, what was removed, edited, added or linked.

Nothing is stored before Save: the form carries it all, so that every button works without script.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import QueryDict

from daysheet.kit.numbers import whole_number
from daysheet.practices.actor import Actor

from ..batch_form import EDIT_PREFIX, read_id, read_ids, write_ids
from ..forms import ItemForm, LineEditForm
from ..queries.choices import ServiceChoices, provider_choices, service_choices
from ..queries.editor import Show, UnbilledService, editor_client, editor_lines, resembling
from ..queries.lines import LineView
from ..selection import LineEdit, ManualLine

ITEMS = "items"
#: More manual items than anybody types on one invoice.
_MOST_ITEMS = 50


@dataclass(frozen=True, slots=True)
class EditorLine:
    """A linked line with its edit form. `line` carries the edits, its amounts in cents."""

    line: LineView
    form: LineEditForm


@dataclass(frozen=True, slots=True)
class EditorItem:
    """A manual item: its form, its amount in cents where it can be read, and the unbilled dates it resembles."""

    index: int
    form: ItemForm
    amount_cents: int | None
    resembles: tuple[UnbilledService, ...]


class EditorPage:
    """The editor of one client; `sent` is None when it is opened. Raises NotFound."""

    def __init__(self, actor: Actor, client_id: UUID, sent: QueryDict | None, *, show: str = "") -> None:
        self.actor = actor
        self.client = editor_client(actor, client_id)
        self.sent = sent if sent is not None else QueryDict()
        self.is_fresh = sent is None
        self.show = _show(self.sent.get("show") or self.sent.get("showing") or show)
        self.linked = read_ids(self.sent.get("linked", ""))
        self.removed = read_ids(self.sent.get("removed", ""))
        self._dropped: set[int] = set()
        self._obey_buttons()

    @cached_property
    def services(self) -> list[UnbilledService]:
        """The dates that are on the page: inside the filter or linked, and not removed."""
        return [
            service
            for service in self.client.services
            if service.visit_service_id not in self.removed
            and (service.visit_service_id in self.linked or self.show.holds(service.service_on, self.actor.today))
        ]

    @cached_property
    def put_aside(self) -> list[UnbilledService]:
        """What was taken off this invoice with X; it stays unbilled."""
        return [service for service in self.client.services if service.visit_service_id in self.removed]

    @cached_property
    def lines(self) -> list[EditorLine]:
        """The linked lines, priced with the edits that can be read."""
        plain = editor_lines(self.actor, self.services, {})
        forms = {line.visit_service_id: self._edit_form(line) for line in plain}
        edits = {key: form.edit() for key, form in forms.items() if form.is_bound and form.is_valid()}
        self.edits = {key: edit for key, edit in edits.items() if edit != LineEdit()}
        priced = editor_lines(self.actor, self.services, self.edits) if self.edits else plain
        return [EditorLine(line, forms[line.visit_service_id]) for line in priced]

    @cached_property
    def items(self) -> list[EditorItem]:
        """The manual items, each with its warning."""
        return [self._item(index, form) for index, form in enumerate(self._item_forms())]

    @property
    def has_room(self) -> bool:
        """Whether another item can be added."""
        return len(self.items) < _MOST_ITEMS

    @property
    def manual_lines(self) -> list[ManualLine]:
        """The items that were filled in. Empty rows are no items."""
        return [item.form.manual_line() for item in self.items if item.form.has_changed() and item.form.is_valid()]

    @property
    def posted_lines(self) -> set[UUID]:
        """The lines that stood on the page when Save was pressed."""
        ids = (read_id(text) for text in self.sent.getlist("line"))
        return {each for each in ids if each is not None}

    @property
    def has_errors(self) -> bool:
        return any(line.form.is_bound and not line.form.is_valid() for line in self.lines) or any(
            not item.form.is_valid() for item in self.items
        )

    @property
    def unseen_warnings(self) -> bool:
        """Whether an item resembles an unbilled date and nobody has been told yet."""
        return not set(self.warned.split()) <= set(self.sent.get("warned", "").split())

    @property
    def warned(self) -> str:
        """The warnings that this page shows: a Save after it goes ahead."""
        return " ".join(
            f"{item.form.cleaned_data['service_on']}:{item.form.cleaned_data['service']}"
            for item in self.items
            if item.resembles
        )

    @property
    def total_cents(self) -> int:
        """What the invoice would come to."""
        return sum(each.line.amount_cents or 0 for each in self.lines) + sum(
            item.amount_cents or 0 for item in self.items
        )

    @property
    def client_cents(self) -> int:
        """The client's part of it."""
        manual = sum(line.rate_cents * line.units for line in self.manual_lines if line.side == "client")
        return sum(each.line.client_cents or 0 for each in self.lines) + manual

    @property
    def insurance_cents(self) -> int:
        """The insurer's part of it."""
        return self.total_cents - self.client_cents

    @property
    def removed_ids(self) -> str:
        return write_ids(self.removed)

    @property
    def linked_ids(self) -> str:
        return write_ids(self.linked)

    @cached_property
    def empty_item(self) -> ItemForm:
        """The row that is copied when an item is added."""
        return self._item_form(None, f"{ITEMS}-__prefix__")

    def _obey_buttons(self) -> None:
        """X, Put back, Link it instead, and removing an item: each is one button of the form."""
        removed = read_id(self.sent.get("take_off", ""))
        if removed:
            self.removed.add(removed)
            self.linked.discard(removed)
        put_back = read_id(self.sent.get("put_back", ""))
        if put_back:
            self.removed.discard(put_back)
        item, _, linked = self.sent.get("link", "").partition(":")
        service_id = read_id(linked)
        index = whole_number(item, most=_MOST_ITEMS)
        if service_id and index is not None:
            self.linked.add(service_id)
            self.removed.discard(service_id)
            self._dropped.add(index)
        dropped = whole_number(self.sent.get("drop"), most=_MOST_ITEMS)
        if dropped is not None:
            self._dropped.add(dropped)

    def _edit_form(self, line: LineView) -> LineEditForm:
        prefix = f"{EDIT_PREFIX}{line.visit_service_id}"
        was_sent = f"{prefix}-units" in self.sent
        return LineEditForm(
            self.sent if was_sent else None,
            providers=self._providers,
            prefix=prefix,
            initial=line.initial,
            line_label=f"{line.label}, {line.service_on:%m/%d/%Y}",
        )

    def _item_forms(self) -> Iterator[ItemForm]:
        total = whole_number(self.sent.get(f"{ITEMS}-TOTAL_FORMS") or "0", most=_MOST_ITEMS)
        if total is None:
            raise BadRequest("more items than the page offers")
        kept = [index for index in range(total) if index not in self._dropped]
        for position, index in enumerate(kept):
            yield self._item_form(_renumbered(self.sent, index, position), f"{ITEMS}-{position}")
        if "add_item" in self.sent and len(kept) < _MOST_ITEMS:
            yield self._item_form(None, f"{ITEMS}-{len(kept)}")

    def _item_form(self, sent: dict[str, str] | None, prefix: str) -> ItemForm:
        return ItemForm(
            sent,
            services=self._services.pairs,
            rates=self._services.rates,
            providers=self._providers,
            prefix=prefix,
            empty_permitted=True,
            use_required_attribute=False,
        )

    def _item(self, index: int, form: ItemForm) -> EditorItem:
        if not (form.is_bound and form.has_changed() and form.is_valid()):
            return EditorItem(index, form, None, ())
        item = form.manual_line()
        on_invoice = {service.visit_service_id for service in self.services}
        alike = resembling(item, self.client.services, on_invoice=on_invoice)
        return EditorItem(index, form, item.rate_cents * item.units, tuple(alike))

    @cached_property
    def _providers(self) -> list[tuple[str, str]]:
        return provider_choices(self.actor)

    @cached_property
    def _services(self) -> ServiceChoices:
        return service_choices(self.actor)


def _show(text: str) -> Show:
    try:
        return Show(text)
    except ValueError:
        return Show.RECENT


def _renumbered(sent: QueryDict, index: int, position: int) -> dict[str, str]:
    """One item's fields, under the number it has after others were removed."""
    old, new = f"{ITEMS}-{index}-", f"{ITEMS}-{position}-"
    return {new + name.removeprefix(old): sent.get(name, "") for name in sent if name.startswith(old)}
