"""Organization: Settings and Locations; one's own account page."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from daysheet.database.scope import practice_transaction
from daysheet.kit.ids import new_id
from daysheet.practices.models import Location, Practice, User
from tests.people import Cast, Person

SETTINGS = {
    "name": "Alder Clinic", "legal_name": "Alder Behavioral PLLC", "npi": "1234567893", "tax_id": "123456789",
    "time_zone": "America/Chicago", "cpt_license_fee_cents": "21.50", "phone": "555 0100",
    "address_1": "1 Main St", "address_2": "", "city": "Troy", "state": "ny", "postal_code": "12180",
}  # fmt: skip


@pytest.fixture
def as_person(cast: Cast, client: Client):
    def sign_in(person: Person) -> Client:
        client.force_login(User.objects.get(pk=person.user_id))
        return client

    return sign_in


def address(name: str, **kwargs: object) -> str:
    return reverse(f"practices:{name}", kwargs={"practice": "alder", **kwargs})


def new_location(**facts: object) -> dict[str, object]:
    return {"location_id": new_id(), "name": "Main Street", "place_of_service": "11", "is_active": "on", **facts}


def test_an_administrator_changes_the_practice_and_nobody_else_may(cast: Cast, as_person) -> None:
    assert as_person(cast.dan).get(address("settings")).status_code == 403
    assert as_person(cast.charlie).get(address("settings")).status_code == 404
    client = as_person(cast.alice)

    assert client.post(address("settings"), SETTINGS).status_code == 303

    practice = Practice.objects.get(slug="alder")
    assert (practice.legal_name, practice.tax_id, practice.state) == ("Alder Behavioral PLLC", "12-3456789", "NY")
    assert Practice.objects.get(slug="birch").time_zone == "America/Los_Angeles"


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("npi", "1234567890", "not an NPI"),
        ("tax_id", "12-34", "Use nine digits"),
        ("cpt_license_fee_cents", "-5", "cannot be less than nothing"),
        ("postal_code", "ABC", "Use five digits"),
        ("time_zone", "EST5", "valid choice"),
    ],
)
def test_what_cannot_be_a_practice_fact_is_refused(cast: Cast, as_person, field: str, typed: str, words: str) -> None:
    if field == "time_zone":
        typed = "Nowhere/Land"

    answer = as_person(cast.alice).post(address("settings"), SETTINGS | {field: typed})

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert Practice.objects.get(slug="alder").legal_name == ""


def test_a_location_is_added_once_for_a_double_click_and_edited(cast: Cast, as_person) -> None:
    client = as_person(cast.alice)
    typed = new_location()

    assert client.post(address("add_location"), typed).status_code == 303
    assert client.post(address("add_location"), typed).status_code == 303
    with practice_transaction(cast.alder.id):
        row = Location.objects.get()
    edited = client.post(address("location", location=row.pk), typed | {"place_of_service": "10", "is_active": ""})

    assert edited.status_code == 303
    with practice_transaction(cast.alder.id):
        row = Location.objects.get()
    assert (row.place_of_service, row.is_active) == ("10", False)
    assert "Inactive" in client.get(address("locations")).content.decode()


def test_a_location_needs_two_digits_a_free_name_and_a_real_npi(cast: Cast, as_person) -> None:
    client = as_person(cast.alice)
    client.post(address("add_location"), new_location())

    same_name = client.post(address("add_location"), new_location(name="main street"))
    one_digit = client.post(address("add_location"), new_location(name="Other", place_of_service="1"))
    wrong_npi = client.post(address("add_location"), new_location(name="Other", npi="1234567890"))

    assert [same_name.status_code, one_digit.status_code, wrong_npi.status_code] == [422, 422, 422]
    assert "There is a location named main street already" in same_name.content.decode()
    with practice_transaction(cast.alder.id):
        assert Location.objects.count() == 1


def test_locations_are_for_administrators_of_the_practice(cast: Cast, as_person) -> None:
    as_person(cast.alice).post(address("add_location"), new_location())
    with practice_transaction(cast.alder.id):
        row = Location.objects.get()
    for name, kwargs in [("locations", {}), ("add_location", {}), ("location", {"location": row.pk})]:
        assert as_person(cast.dan).get(address(name, **kwargs)).status_code == 403
        assert as_person(cast.charlie).get(address(name, **kwargs)).status_code == 404
    birch = reverse("practices:location", kwargs={"practice": "birch", "location": row.pk})
    assert as_person(cast.charlie).get(birch).status_code == 404


def test_the_list_of_locations_asks_as_much_for_thirty_as_for_one(
    cast: Cast, as_person, django_assert_max_num_queries
) -> None:
    with practice_transaction(cast.alder.id):
        Location.objects.bulk_create([Location(name=f"Room {number}") for number in range(30)])
    client = as_person(cast.alice)

    with django_assert_max_num_queries(14):
        assert client.get(address("locations")).status_code == 200


def test_the_account_page_shows_what_one_may_do_but_offers_no_change(cast: Cast, as_person) -> None:
    page = as_person(cast.dan).get(address("my_account")).content.decode()

    assert "dan@alder.example" in page and "<li>Default</li>" in page
    assert "Billing</li>" not in page
    assert 'name="permissions"' not in page
