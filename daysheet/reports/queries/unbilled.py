"""What is not billed, counted by age and by what stops it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from daysheet.invoicing.queries.unbilled import LOOK_BACK, Stop, UnbilledRow, unbilled_between
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..rules import BUCKETS, age_days, bucket_of

#: Of how many dates the reasons are worked out; the rules of billing run for each.
MOST = 5_000
_LABELS = {
    Stop.NOTHING: "Nothing: it can be billed",
    Stop.UPCOMING: "Still to come today",
    Stop.NOT_MARKED: "Status still Upcoming",
    Stop.NO_SERVICE: "No service type",
    Stop.NO_FEE_DECISION: "No decision on the fee",
}


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """One reason: how many dates of service in each bucket, and what they would come to, in cents."""

    reason: str
    label: str
    bucket_counts: tuple[int, ...]
    amount_cents: int

    @property
    def count(self) -> int:
        return sum(self.bucket_counts)


@dataclass(frozen=True, slots=True)
class UnbilledAges:
    """By reason. `is_cut`: there are more than MOST dates, the newest are left out. `rows`: those asked for."""

    reasons: tuple[ReasonRow, ...]
    rows: tuple[UnbilledRow, ...]
    is_cut: bool
    bare_from_on: date


@query(Permission.BILLING)
def unbilled_ages(actor: Actor, *, reason: str = "", bucket: int | None = None) -> UnbilledAges:
    """Unbilled dates of service up to today; with the rows of one reason or bucket where asked."""
    bare_from_on = actor.today - LOOK_BACK
    found = unbilled_between(actor, date.min, actor.today, limit=MOST + 1, bare_from_on=bare_from_on)
    rows = found[:MOST]
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * len(BUCKETS))
    cents: dict[str, int] = defaultdict(int)
    for row in rows:
        counts[reason_of(row)][_bucket(actor, row)] += 1
        cents[reason_of(row)] += row.amount_cents or 0
    reasons = tuple(
        ReasonRow(key, _label(key), tuple(counts[key]), cents[key])
        for key in sorted(counts, key=lambda key: (-sum(counts[key]), key))
    )
    is_asked = bool(reason) or bucket is not None
    asked = tuple(
        row for row in rows if is_asked and reason in ("", reason_of(row)) and bucket in (None, _bucket(actor, row))
    )
    return UnbilledAges(reasons, asked, len(found) > MOST, bare_from_on)


def reason_of(row: UnbilledRow) -> str:
    """The name of what stops a date: that of the refusal where a rule refuses it."""
    return row.refusal.code if row.refusal else row.stop.value


def _bucket(actor: Actor, row: UnbilledRow) -> int:
    return bucket_of(age_days(row.service_on, actor.today))


def _label(reason: str) -> str:
    known = {stop.value: label for stop, label in _LABELS.items()}
    return known.get(reason, reason.replace("_", " ").capitalize())
