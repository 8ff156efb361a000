"""Which licences a New Year renews: pure decisions (L2, L3).

Only the current year is ever renewed. A machine that slept over several New Years writes no licences for the years
between: nothing was billed in them and nothing is owed for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID


def previous_year(current: int, held_years: Iterable[int], run_years: Iterable[int]) -> int | None:
    """The latest earlier year in which the practice held a licence or carried out a renewal: who held one then is
    renewed. None for a practice without a past. A year whose renewal left nobody counts too, so that a licence that
    lapsed once never comes back by itself."""
    return max((year for year in (*held_years, *run_years) if year < current), default=None)


def who_is_renewed(
    holders_before: Iterable[UUID], holders_now: Iterable[UUID], renewable: Mapping[UUID, bool]
) -> list[UUID]:
    """Who gets a licence for the new year: held one before, has none yet, is active with CPT Code Access
    (`renewable`), in id order."""
    already = set(holders_now)
    return sorted(held for held in set(holders_before) - already if renewable.get(held, False))
