"""AMA CPT licences: assigning, correcting, the page and its CSV (L2-L5)."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime

import pytest
from django.test import Client
from django.urls import reverse

from daysheet.database.scope import practice_transaction
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.kit.ids import new_id
from daysheet.practices.models import Practice, User
from daysheet.staff import actions as staff
from daysheet.staff.licenses import actions, queries
from daysheet.staff.models import CptLicense
from tests.people import NOW, Cast, Person


@pytest.fixture
def at_alder(cast: Cast):
    with practice_transaction(cast.alder.id):
        yield


def as_person(client: Client, person: Person) -> Client:
    client.force_login(User.objects.get(pk=person.user_id))
    return client


def address(name: str, practice: str = "alder", **kwargs: object) -> str:
    return reverse(f"staff:{name}", kwargs={"practice": practice, **kwargs})


def test_a_license_is_assigned_at_the_practice_fee_for_the_year_in_practice_time(cast: Cast, at_alder: None) -> None:
    # Half past eleven on New Year's Eve in New York is 2027 already in UTC.
    eve = cast.actor(cast.alice, now=datetime(2027, 1, 1, 4, 30, tzinfo=UTC))

    license_ = actions.assign_license(eve, cast.carol.staff_member_id, paid_on=date(2026, 12, 31), reference="A-17")

    assert (license_.year, license_.fee_cents, license_.reference) == (2026, 2150, "A-17")
    assert queries.licensed_staff_ids(2026, [cast.carol.staff_member_id, cast.bob.staff_member_id]) == {
        cast.carol.staff_member_id
    }
    assert queries.licensed_staff_ids(2027, [cast.carol.staff_member_id]) == set()


def test_assigning_is_refused_without_permission_twice_or_for_what_is_no_longer_true(
    cast: Cast, at_alder: None
) -> None:
    alice, carol = cast.actor(cast.alice), cast.carol.staff_member_id
    with pytest.raises(NotAllowed):
        actions.assign_license(cast.actor(cast.bob), carol)
    with pytest.raises(NotFound):
        actions.assign_license(alice, cast.charlie.staff_member_id)
    with pytest.raises(actions.LicenseYearOver):
        actions.assign_license(alice, carol, year=2025)
    with pytest.raises(actions.LicenseFeeChanged):
        actions.assign_license(alice, carol, confirmed_fee_cents=1)
    assert not CptLicense.objects.exists()

    same_id = new_id()
    first = actions.assign_license(alice, carol, license_id=same_id)
    assert actions.assign_license(alice, carol, license_id=same_id) == first
    with pytest.raises(actions.LicenseAlreadyHeld, match="Carol Clinician holds a CPT license for 2026 already"):
        actions.assign_license(alice, carol)
    with pytest.raises(actions.LicenseAlreadyHeld, match="gave another license before"):
        actions.assign_license(alice, cast.dan.staff_member_id, license_id=same_id)
    staff.edit_staff_member(alice, cast.dan.staff_member_id, is_active=False)
    with pytest.raises(actions.StaffMemberInactive):
        actions.assign_license(alice, cast.dan.staff_member_id)
    assert CptLicense.objects.count() == 1


def test_what_was_paid_can_be_corrected_and_access_turned_off_revokes_nothing(cast: Cast, at_alder: None) -> None:
    alice, carol = cast.actor(cast.alice), cast.carol.staff_member_id
    license_ = actions.assign_license(alice, carol)

    actions.correct_license(alice, license_.pk, fee_cents=2000, paid_on=date(2026, 11, 20), reference="check 9")
    actions.set_cpt_access(alice, carol, has_access=False)

    year = queries.licenses_of_year(alice)
    assert (year.fees_cents, year.unpaid_cents, year.fee_cents) == (2000, 0, 2150)
    assert [(row.name, row.cpt_access, row.reference) for row in year.licensed] == [
        ("Carol Clinician, LCSW", False, "check 9")
    ]
    assert {row.name for row in year.without} == {"Alice Owner", "Bob Biller", "Dan Desk"}
    with pytest.raises(NotFound):
        actions.correct_license(alice, new_id(), fee_cents=1, paid_on=None, reference="")


def test_the_confirm_step_shows_the_fee_and_leads_back_to_where_one_came_from(cast: Cast, client: Client) -> None:
    as_person(client, cast.alice)
    url = address("assign_license", staff_member=cast.carol.staff_member_id)

    page = client.get(f"{url}?next=/alder/billing").content.decode()
    typed = {
        "license_id": new_id(),
        "year": NOW.year,
        "confirmed_fee_cents": 2150,
        "paid_on": "",
        "reference": "",
    }
    answer = client.post(f"{url}?next=/alder/billing", typed)

    assert "Assign for $21.50" in page
    assert (answer.status_code, answer["Location"]) == (303, "/alder/billing")
    again = client.post(f"{url}?next=https://evil.example/", typed)
    assert again["Location"] == address("licenses")
    other_click = client.post(url, typed | {"license_id": new_id()})
    assert other_click.status_code == 422 and "holds a CPT license" in other_click.content.decode()


def test_a_fee_that_changed_before_confirming_is_shown_anew(cast: Cast, client: Client) -> None:
    as_person(client, cast.alice)
    with practice_transaction(cast.alder.id):
        Practice.objects.filter(pk=cast.alder.id).update(cpt_license_fee_cents=2300)
    typed = {"license_id": new_id(), "year": NOW.year, "confirmed_fee_cents": 2150}

    answer = client.post(address("assign_license", staff_member=cast.carol.staff_member_id), typed)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "The fee was changed to $23.00 meanwhile" in page and 'name="confirmed_fee_cents" value="2300"' in page


def test_the_page_and_the_csv_name_holders_fees_and_the_total(cast: Cast, client: Client) -> None:
    with practice_transaction(cast.alder.id):
        actions.assign_license(cast.actor(cast.alice), cast.carol.staff_member_id, reference="=1+1")
        actions.assign_license(cast.actor(cast.alice), cast.bob.staff_member_id, paid_on=date(2026, 11, 16))
    as_person(client, cast.alice)

    page = client.get(address("licenses") + "?year=2026").content.decode()
    rows = list(csv.DictReader(io.StringIO(client.get(address("licenses_csv") + "?year=2026").content.decode())))

    assert "Total owed to the AMA" in page and "$43.00" in page and "11/16/2026" in page
    assert [(row["Staff member"], row["Fee"], row["Date paid"], row["Reference"]) for row in rows] == [
        ("Bob Biller", "21.50", "11/16/2026", ""),
        ("Carol Clinician, LCSW", "21.50", "", "'=1+1"),
    ]


def test_access_is_turned_off_from_the_page(cast: Cast, client: Client) -> None:
    url = address("cpt_access", staff_member=cast.carol.staff_member_id)

    assert as_person(client, cast.bob).post(url, {"has_access": "no"}).status_code == 403
    assert as_person(client, cast.alice).post(url, {"has_access": "no"}).status_code == 303

    with practice_transaction(cast.alder.id):
        row = next(row for row in queries.licenses_of_year(cast.actor(cast.alice)).without if row.name.startswith("C"))
    assert row.cpt_access is False


def test_licenses_are_for_administrators_of_the_practice(cast: Cast, client: Client) -> None:
    with practice_transaction(cast.alder.id):
        license_ = actions.assign_license(cast.actor(cast.alice), cast.carol.staff_member_id)
    carol = {"staff_member": cast.carol.staff_member_id}
    for name, kwargs in [
        ("licenses", {}), ("licenses_csv", {}), ("license", {"license": license_.pk}), ("assign_license", carol),
    ]:  # fmt: skip
        assert as_person(client, cast.dan).get(address(name, **kwargs)).status_code == 403
        assert as_person(client, cast.charlie).get(address(name, **kwargs)).status_code == 404
    assert client.get(address("license", "birch", license=license_.pk)).status_code == 404
    assert client.get(address("assign_license", "birch", **carol)).status_code == 404


def test_the_page_asks_as_much_for_forty_people_as_for_four(
    cast: Cast, client: Client, django_assert_max_num_queries
) -> None:
    with practice_transaction(cast.alder.id):
        alice = cast.actor(cast.alice)
        for number in range(40):
            person = staff.add_staff_member(alice, first_name=f"P{number}", last_name="Rovider")
            if number % 2:
                actions.assign_license(alice, person.pk)
    as_person(client, cast.alice)

    with django_assert_max_num_queries(16):
        assert client.get(address("licenses") + f"?year={NOW.year}").status_code == 200
