"""The guide over HTTP: from a practice with nothing but its owner to the first invoice; skipped, resumed, put away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from daysheet.audit.models import AuditEvent
from daysheet.clients.models import Client
from daysheet.database.scope import practice_transaction
from daysheet.first_hour.models import GuideMark
from daysheet.invoicing.models import Invoice
from daysheet.practices.models import Location, Practice
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import Visit
from daysheet.services.models import ServiceType
from daysheet.staff.models import CptLicense, StaffMember
from tests.billing import build_clinic
from tests.people import NOW, Cast, Person

SignIn = Callable[[Person], Browser]
#: Charlie is the owner of Birch Practice, in which there is nothing.
HOME, GUIDE = "/birch/agenda/", "/birch/getting-started/"
PRACTICE = {
    "name": "Birch Practice", "time_zone": "America/Los_Angeles", "npi": "1234567893", "tax_id": "12-3456789",
    "address_1": "1 Main Street", "city": "Eureka", "state": "CA", "postal_code": "95501",
    "location_name": "Main office", "place_of_service": "11",
}  # fmt: skip
SERVICE = {"kind": "cpt", "code": "9T001", "name": "Talk", "rate_cents": "150", "default_minutes": "50"}
PROVIDER = {"credentials": "LCSW", "npi": "1245319599", "assigns_license": "on", "fee_cents": "21.50"}
CLIENT = {"first_name": "Ana", "last_name": "Ruiz", "birth_on": "1990-02-03"}


@pytest.fixture
def charlie(cast: Cast, sign_in: SignIn) -> Iterator[Browser]:
    with time_machine.travel(NOW, tick=False):
        yield sign_in(cast.charlie)


def words(answer: object) -> str:
    return " ".join(answer.content.decode().split())  # type: ignore[attr-defined]


def send(browser: Browser, step: str, typed: dict[str, str]) -> None:
    """Fill in the form of a step as it comes, hidden fields included, and send it."""
    page = browser.get(f"{GUIDE}{step}/").content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+_id)" value="([^"]+)"', page))
    answer = browser.post(f"{GUIDE}{step}/", {**hidden, **typed})
    assert answer.status_code == 303, words(answer)


def heading(browser: Browser, path: str = GUIDE) -> str:
    found = re.search(r"<h1>(.*?)</h1>", words(browser.get(path)))
    assert found
    return found[1]


def test_from_nothing_to_the_first_invoice(cast: Cast, charlie: Browser) -> None:
    assert "Getting started: 0 of 6 done" in words(charlie.get(HOME))
    for step, typed, label in (
        ("practice", PRACTICE, "Your practice"),
        ("services", SERVICE, "What you bill"),
        ("provider", PROVIDER, "You as a provider"),
        ("client", CLIENT, "First client"),
    ):
        assert heading(charlie) == label
        send(charlie, step, typed)
    assert heading(charlie) == "First appointment"
    page = charlie.get(GUIDE).content.decode()
    initial = {name: _selected(page, name) for name in ("client", "service", "staff", "location")}
    initial |= dict(re.findall(r'name="(day|at|minutes)" value="([^"]+)"', page))
    assert (initial["day"], initial["at"], initial["minutes"]) == ("2026-11-16", "06:00", "50")  # 7 in Los Angeles
    send(charlie, "appointment", initial)
    assert heading(charlie) == "First invoice"
    with practice_transaction(cast.birch.id):
        visit = Visit.objects.get()
    added = charlie.post(f"/birch/visits/{visit.pk}/invoice/", {"next": GUIDE})
    assert added.status_code == 303 and added["Location"] == GUIDE
    assert heading(charlie) == "You are ready to bill"
    assert "Getting started" not in words(charlie.get(HOME))
    _check_what_is_there(cast)


def _check_what_is_there(cast: Cast) -> None:
    with practice_transaction(cast.birch.id):
        practice = Practice.objects.get(slug="birch")
        assert (practice.npi, practice.tax_id, practice.cpt_license_fee_cents) == ("1234567893", "12-3456789", 2150)
        location = Location.objects.get()
        assert (location.name, location.place_of_service, location.city) == ("Main office", "11", "Eureka")
        license_ = CptLicense.objects.get()
        assert (license_.staff_member_id, license_.year, license_.fee_cents) == (
            cast.charlie.staff_member_id, 2026, 2150
        )  # fmt: skip
        invoice = Invoice.objects.get()
        assert (invoice.number, invoice.client_name, invoice.practice_tax_id) == (1, "Ana Ruiz", "12-3456789")
        assert not GuideMark.objects.exists(), "progress is never stored"


def _selected(page: str, name: str) -> str:
    select = re.search(rf'<select name="{name}".*?</select>', page, re.S)
    assert select
    chosen = re.search(r'<option value="([^"]+)" selected', select[0]) or re.search(r'value="([^"]+)"', select[0])
    assert chosen
    return chosen[1]


def test_the_same_form_twice_makes_one_thing(cast: Cast, charlie: Browser) -> None:
    page = charlie.get(f"{GUIDE}services/").content.decode()
    key = re.search(r'name="service_type_id" value="([^"]+)"', page)
    assert key
    for _ in range(2):
        assert charlie.post(f"{GUIDE}services/", {**SERVICE, "service_type_id": key[1]}).status_code == 303
    with practice_transaction(cast.birch.id):
        assert ServiceType.objects.count() == 1


def test_save_and_add_another_stays_at_the_step(charlie: Browser) -> None:
    page = charlie.get(f"{GUIDE}client/").content.decode()
    key = re.search(r'name="client_id" value="([^"]+)"', page)
    assert key
    answer = charlie.post(f"{GUIDE}client/", {**CLIENT, "client_id": key[1], "another": "yes"})
    assert answer["Location"] == f"{GUIDE}client/"


@pytest.mark.parametrize(
    ("step", "typed", "said"),
    [
        ("practice", {**PRACTICE, "npi": "1234567890"}, "This is not an NPI"),
        ("practice", {**PRACTICE, "tax_id": ""}, "This field is required"),
        ("services", {**SERVICE, "rate_cents": "a lot"}, "What you bill"),
        ("provider", {"npi": "12"}, "This is not an NPI"),
        ("client", {"first_name": "Ana"}, "This field is required"),
    ],
)
def test_what_cannot_be_saved_comes_back_with_words_and_what_was_typed(
    cast: Cast, charlie: Browser, step: str, typed: dict[str, str], said: str
) -> None:
    answer = charlie.post(f"{GUIDE}{step}/", typed)
    assert answer.status_code == 422 and said in words(answer)
    for value in typed.values():
        assert value in words(answer)
    with practice_transaction(cast.birch.id):
        assert not Client.objects.exists() and not ServiceType.objects.exists()


def test_a_service_code_that_is_taken_is_said_on_the_form(charlie: Browser) -> None:
    send(charlie, "services", SERVICE)
    page = charlie.get(f"{GUIDE}services/").content.decode()
    key = re.search(r'name="service_type_id" value="([^"]+)"', page)
    assert key
    answer = charlie.post(f"{GUIDE}services/", {**SERVICE, "service_type_id": key[1]})
    assert answer.status_code == 422 and "9T001" in words(answer)


def test_a_license_is_asked_for_only_where_something_is_cpt_coded_and_needs_its_fee(
    cast: Cast, charlie: Browser
) -> None:
    assert "AMA CPT license" not in words(charlie.get(f"{GUIDE}provider/"))
    send(charlie, "services", SERVICE)
    assert "I hold the AMA CPT license for 2026" in words(charlie.get(f"{GUIDE}provider/"))
    answer = charlie.post(f"{GUIDE}provider/", {**PROVIDER, "fee_cents": ""})
    assert answer.status_code == 422 and "Enter the fee for the year" in words(answer)
    send(charlie, "provider", {"credentials": "LCSW", "npi": "1245319599"})  # unticked
    assert heading(charlie) == "Your practice"
    assert heading(charlie, f"{GUIDE}provider/") == "You as a provider"
    with practice_transaction(cast.birch.id):
        assert not CptLicense.objects.exists()
        assert StaffMember.objects.get().is_provider
    send(charlie, "provider", PROVIDER)
    assert "AMA CPT license" not in words(charlie.get(f"{GUIDE}provider/")), "it is held now"


def test_a_step_is_skipped_and_resumed(cast: Cast, charlie: Browser) -> None:
    for _ in range(2):
        assert charlie.post(f"{GUIDE}practice/skip/")["Location"] == GUIDE
    assert heading(charlie) == "What you bill"
    assert "Skipped" in words(charlie.get(GUIDE))
    with practice_transaction(cast.birch.id):
        assert GuideMark.objects.get().step == "practice"
    send(charlie, "practice", PRACTICE)
    assert "Skipped" not in words(charlie.get(GUIDE))
    with practice_transaction(cast.birch.id):
        assert not GuideMark.objects.exists()
        events = AuditEvent.objects.filter(verb__endswith="_guide").order_by("pk")
        assert list(events.values_list("verb", flat=True)) == ["skip_guide", "resume_guide"]


def test_everything_skipped_is_over_and_says_what_is_left(charlie: Browser) -> None:
    for step in ("practice", "services", "provider", "client", "appointment", "invoice"):
        charlie.post(f"{GUIDE}{step}/skip/")
    page = words(charlie.get(GUIDE))
    assert "That is all for now" in page and "Left for later" in page and f'href="{GUIDE}client/"' in page
    assert "Getting started" not in words(charlie.get(HOME))


def test_the_guide_is_put_away_and_taken_up_again_from_settings(charlie: Browser) -> None:
    assert charlie.post(f"{GUIDE}dismiss/")["Location"] == HOME
    assert "Getting started: " not in words(charlie.get(HOME))
    assert "Take the guide up again" in words(charlie.get("/birch/organization/settings"))
    assert charlie.post(f"{GUIDE}resume/")["Location"] == GUIDE
    assert "Getting started: 0 of 6" in words(charlie.get(HOME))


def test_an_appointment_says_what_it_lacks(charlie: Browser) -> None:
    page = words(charlie.get(f"{GUIDE}appointment/"))
    assert "Still missing" in page and f'href="{GUIDE}services/"' in page
    assert charlie.post(f"{GUIDE}appointment/", {}).status_code == 422


def test_import_is_offered_where_there_may_be_many(charlie: Browser) -> None:
    for step, kind in (("services", "service_types"), ("provider", "staff"), ("client", "clients"),
                       ("appointment", "appointments")):  # fmt: skip
        page = charlie.get(f"{GUIDE}{step}/").content.decode()
        assert f"/birch/import/?kind={kind}" in page and f"/birch/import/templates/{kind}.csv" in page
    upload = charlie.get("/birch/import/?kind=clients").content.decode()
    assert '<option value="clients" selected>' in upload
    assert "Getting started: " in upload, "the way back"


def test_only_administrators_are_told_and_may_open_it(cast: Cast, sign_in: SignIn) -> None:
    with time_machine.travel(NOW, tick=False):
        for person in (cast.bob, cast.dan):
            browser = sign_in(person)
            assert "Getting started" not in words(browser.get("/alder/agenda/"))
            assert browser.get("/alder/getting-started/").status_code == 403
        assert sign_in(cast.charlie).get(f"{GUIDE}coffee/").status_code == 404


def test_an_administrator_without_billing_is_told_who_makes_invoices(cast: Cast, sign_in: SignIn) -> None:
    with practice_transaction(cast.alder.id):
        build_clinic(cast)
        StaffMember.objects.filter(pk=cast.dan.staff_member_id).update(permissions=[Permission.ADMINISTRATOR.value])
    with time_machine.travel(NOW, tick=False):
        page = words(sign_in(cast.dan).get("/alder/getting-started/invoice/"))
        assert "made by people with the permission Billing" in page and "Add Invoice" not in page


def test_the_home_page_asks_one_question_more(cast: Cast, charlie: Browser) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert charlie.get(HOME).status_code == 200
        return len(seen)

    asked()
    shown = asked()
    with CaptureQueriesContext(connection) as seen:
        charlie.get(HOME)
    of_guide = [query["sql"] for query in seen if "first_hour_guidemark" in query["sql"]]
    assert len(of_guide) == 1
    charlie.post(f"{GUIDE}dismiss/")
    charlie.get(HOME)  # the flash message
    assert asked() == shown
