"""Fee schedules from a file: rates by insurer, service type and first day; periods that cannot overlap; the same file
again changes nothing."""

from __future__ import annotations

from datetime import date

import pytest

from daysheet.clients.models import Payer
from daysheet.database.scope import practice_transaction
from daysheet.imports.actions import ImportRefused, Verdict
from daysheet.services.actions import add_payer_rate, archive_service_type
from daysheet.services.models import PayerRate, ServiceType
from daysheet.services.queries import fee_schedule_table
from daysheet.web.downloads import download
from tests.people import Cast

from .files import counts, look, take

PAYERS = [{"ID": "p1", "Name": "Northern Health"}, {"ID": "p2", "Name": "Harbor"}]
SERVICES = [
    {"ID": "t1", "Code": "LONG", "Name": "Long session", "Kind": "Non-CPT", "Rate": "150.00"},
    {"ID": "t2", "Code": "SHORT", "Name": "Short session", "Kind": "Non-CPT", "Rate": "80.00"},
]


def rate(day: str, cents: str, *, insurer: str = "p1", service: str = "t1", end: str = "") -> dict[str, str]:
    return {"Insurer": insurer, "Service Type": service, "From": day, "Rate": cents, "Ends On": end}


@pytest.fixture
def alice(cast: Cast):
    actor = cast.actor(cast.alice)
    take(actor, "payers", PAYERS)
    take(actor, "service_types", SERVICES)
    return actor


def stored(actor) -> list[tuple[str, str, date, int | None]]:
    """(insurer's ID, service type's, first day, cents) of every step."""
    with practice_transaction(actor.practice.id):
        columns = ("payer__external_id", "service_type__external_id", "starts_on", "rate_cents")
        return list(PayerRate.objects.order_by(*columns[:3]).values_list(*columns))


def problems(actor, rows) -> list[str]:
    return [str(problem) for problem in look(actor, "fee_schedules", rows).problems]


def test_a_schedule_is_taken_in_once_and_a_corrected_one_changes_what_differs(alice) -> None:
    rows = [rate("2026-01-01", "110.00"), rate("7/1/2026", "115.00"), rate("2026-01-01", "55.00", service="t2")]
    assert counts(take(alice, "fee_schedules", rows)) == (3, 0, 0)
    before = stored(alice)
    assert before == [
        ("p1", "t1", date(2026, 1, 1), 11000),
        ("p1", "t1", date(2026, 7, 1), 11500),
        ("p1", "t2", date(2026, 1, 1), 5500),
    ]
    assert counts(take(alice, "fee_schedules", rows)) == (0, 0, 3) and stored(alice) == before
    rows[1]["Rate"] = "116.00"
    shown = look(alice, "fee_schedules", rows).rows
    assert [(row.verdict, row.changes) for row in shown] == [
        (Verdict.UNCHANGED, ()), (Verdict.CHANGED, ("Rate",)), (Verdict.UNCHANGED, ())
    ]  # fmt: skip
    assert counts(take(alice, "fee_schedules", rows)) == (0, 1, 2)
    assert ("p1", "t1", date(2026, 7, 1), 11600) in stored(alice)


def test_insurer_and_service_type_go_by_name_and_code_too(alice) -> None:
    rows = [
        rate("2026-01-01", "110.00", insurer="northern HEALTH", service="long"),
        rate("2026-02-01", "111.00", insurer="Northern Health", service="LONG"),
    ]
    assert counts(take(alice, "fee_schedules", rows)) == (2, 0, 0)
    assert counts(take(alice, "fee_schedules", [rate("2026-01-01", "110.00")])) == (0, 0, 1)
    assert problems(alice, [rate("2026-01-01", "1", insurer="Nowhere", service="GONE")]) == [
        "row 2, column Insurer: there is no “Nowhere” among the payers. Import payers first, or correct the ID or name",
        "row 2, column Service Type: there is no “GONE” among the service types. Import service_types first, or "
        "correct the ID or code",
    ]


def test_an_archived_service_type_has_no_new_rates(alice) -> None:
    with practice_transaction(alice.practice.id):
        ServiceType.objects.filter(external_id="t2").update(archived_at=alice.now)
    assert len(problems(alice, [rate("2026-01-01", "1", service="t2")])) == 1


def test_a_rate_that_ends_is_followed_by_what_held_before(alice) -> None:
    rows = [rate("2026-01-01", "110.00"), rate("2026-06-01", "90.00", end="2026-09-01")]
    rows.append(rate("2026-03-01", "40.00", insurer="p2", end="2026-04-01"))
    assert counts(take(alice, "fee_schedules", rows)) == (3, 0, 0)
    steps = [
        ("p1", "t1", date(2026, 1, 1), 11000),
        ("p1", "t1", date(2026, 6, 1), 9000),
        ("p1", "t1", date(2026, 9, 1), 11000),
        ("p2", "t1", date(2026, 3, 1), 4000),
        ("p2", "t1", date(2026, 4, 1), None),
    ]
    assert stored(alice) == steps
    assert counts(take(alice, "fee_schedules", rows)) == (0, 0, 3) and stored(alice) == steps
    ended = [rate("2026-01-01", "110.00"), rate("2026-09-01", "110.00", end="2026-12-01")]
    assert look(alice, "fee_schedules", ended).rows[1].changes == ("Ends On",)
    assert counts(take(alice, "fee_schedules", ended)) == (0, 1, 1)
    assert ("p1", "t1", date(2026, 12, 1), 9000) in stored(alice)


def test_periods_that_adjoin_are_good_in_any_order(alice) -> None:
    rows = [rate("2026-07-01", "120.00", end="2026-12-01"), rate("2026-01-01", "110.00", end="2026-07-01")]
    assert counts(take(alice, "fee_schedules", rows)) == (2, 0, 0)
    assert [step[2:] for step in stored(alice)] == [
        (date(2026, 1, 1), 11000), (date(2026, 7, 1), 12000), (date(2026, 12, 1), 11000)
    ]  # fmt: skip


def test_periods_cannot_overlap_and_the_words_say_which_do(alice) -> None:
    rows = [rate("2026-01-01", "110.00", end="2026-07-01"), rate("2026-06-01", "120.00")]
    [overlap] = problems(alice, rows)
    assert overlap.startswith(
        "row 2, column Ends On: in row 3 a rate of $120.00 for the same insurer and service type begins on 06/01/2026"
    )
    with pytest.raises(ImportRefused, match="Nothing was imported: row 2, column Ends On"):
        take(alice, "fee_schedules", rows)
    assert stored(alice) == []
    take(alice, "fee_schedules", [rate("2026-06-01", "120.00")])
    [overlap] = problems(alice, [rate("2026-01-01", "110.00", end="2026-07-01")])
    assert "Ends On: in the fee schedule a rate of $120.00" in overlap and "Periods cannot overlap" in overlap
    assert problems(alice, [rate("2026-01-01", "1", end="2026-01-01")]) == [
        "row 2, column Ends On: it must be later than From"
    ]
    assert problems(alice, [rate("2026-01-01", "1"), rate("2026-01-01", "2")]) == [
        "row 3, column From: the same insurer, service type and day stand in row 2 too"
    ]


def test_an_empty_rate_says_none_from_here(alice) -> None:
    rows = [rate("2026-01-01", "110.00"), rate("2026-07-01", "")]
    assert [row.remark for row in look(alice, "fee_schedules", rows).rows] == [
        "$110.00 a unit", "no rate of its own from this day"
    ]  # fmt: skip
    take(alice, "fee_schedules", rows)
    assert stored(alice)[-1] == ("p1", "t1", date(2026, 7, 1), None)


def test_what_the_prices_page_exports_comes_back_unchanged(alice) -> None:
    with practice_transaction(alice.practice.id):
        payer = Payer.objects.get(external_id="p1")
        service = ServiceType.objects.get(external_id="t1")
        add_payer_rate(
            alice, payer.pk, service.pk, rate_cents=123456, starts_on=date(2026, 2, 1), ends_on=date(2026, 5, 1)
        )
        answer = download("fee_schedules", [fee_schedule_table(alice, payer.pk)], "csv")
        content = b"".join(answer) if answer.streaming else answer.content
    assert counts(take(alice, "fee_schedules", content)) == (0, 0, 2)


def test_what_is_exported_has_no_rates_of_archived_types_whose_code_another_may_have(alice) -> None:
    take(alice, "fee_schedules", [rate("2026-01-01", "110.00")])
    with practice_transaction(alice.practice.id):
        payer, old = Payer.objects.get(external_id="p1"), ServiceType.objects.get(external_id="t1")
        archive_service_type(alice, old.pk)
        assert fee_schedule_table(alice, payer.pk).rows == ()


def test_a_bad_amount_or_day_is_named_and_a_file_without_rows_harmless(alice) -> None:
    rows = [rate("2026-13-01", "110.00"), rate("2026-01-01", "-5"), rate("", "5")]
    found = problems(alice, rows)
    assert [problem.split(":")[0] for problem in found] == [
        "row 2, column From", "row 3, column Rate", "row 4, column From"
    ]  # fmt: skip


def test_a_thousand_rates_cost_no_more_statements_than_two(alice, django_assert_max_num_queries) -> None:
    rows = [
        rate(f"{2000 + n // 12}-{n % 12 + 1:02}-01", f"{n}.00", service=s) for n in range(500) for s in ("t1", "t2")
    ]
    with django_assert_max_num_queries(25):
        assert counts(take(alice, "fee_schedules", rows)) == (1000, 0, 0)
