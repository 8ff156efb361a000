"""Every page there is, opened as the owner and as a biller: found through the addresses themselves, so that a new page
is swept without being named here. Each must stand axe in both themes, fit 390 px, and say nothing in the console.

A new kind of object in an address needs its id in everything.py; an address that is no page, its reason here.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from daysheet.practices.permissions import Permission, allows
from tests.architecture.test_role_matrix import NEEDS
from tests.architecture.world import all_urls

from .conftest import Enter
from .server import Server
from .visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

URLS = all_urls()
PAGES = sorted(name for name, params in URLS.items() if "practice" in params)
ACCOUNT_PAGES = sorted(name for name, params in URLS.items() if "practice" not in params)
#: Answer GET, but not with a page.
NO_PAGE = {
    "clients:search": "the part under the search box",
    "invoicing:batch_edit": "rows that HTMX puts into the search",
    "mfa_download_recovery_codes": "a file",
    "imports:template": "a file",
    "staff:licenses_csv": "a file",
    "documents:document_pdf": "a file",
    "documents:made_together_pdf": "a file",
    "documents:logo": "a picture",
    "help:picture": "a picture",
    "schedule:feed": "a file for calendars",
    "health_live": "a word for supervisors",
    "health_ready": "a word for supervisors",
    "metrics": "figures for Prometheus",
}
#: Addresses of sign-in that a login without a link from a message, or without a second factor, does not have.
NOT_SWEPT = {
    "account_confirm_email": "a secret in the address",
    "account_reset_password_from_key": "a secret in the address",
    "mfa_deactivate_totp": "404 without an authenticator app",
    "mfa_view_recovery_codes": "404 without an authenticator app",
    "mfa_edit_webauthn": "a passkey in the address",
    "mfa_remove_webauthn": "a passkey in the address",
    "welcome": "404 as soon as there is a practice",
}
#: What only a card processor can bring about: opened on the way in test_cards.py, and by each role in the matrix.
ELSEWHERE = {
    "cards:charge": "a charge: looked at in test_cards.py",
    "cards:ask": "an action on a charge",
    "cards:mark_charged": "an action on a charge: looked at in test_cards.py",
    "cards:mark_not_charged": "an action on a charge: looked at in test_cards.py",
    "cards:card_refund": "a refund to a card: looked at in test_cards.py",
    "cards:mark_refunded": "an action on a refund to a card",
    "cards:mark_not_refunded": "an action on a refund to a card",
    "cards:charge_run": "a run of charges: looked at in test_cards.py",
    "cards:look": "an action on a card that is being stored",
    "cards:remove": "an action on a stored card",
    "cards:retry": "an action on a run of charges",
    "claims:add": "an action on an invoice",
    "claims:withdraw": "an action on a claim",
    "cards:webhook": "the processor's messages",
    "mail:attachment": "a PDF, of a message that has one",
    "mailings:file": "a PDF, when the run has put it together",
}
#: Reached without signing in.
PUBLIC = {"staff:join"}
#: Other looks of the same page.
VARIANTS = {
    "mailings:batch_statements": ["?from_on=2020-01-01&to_on=2099-01-01&at_least=1.00"],
    "mailings:existing_invoices": ["?from_on=2020-01-01&to_on=2099-01-01"],
    "payments:ledger": ["?tab=paid", "?tab=payments", "?tab=activity"],
    "payments:accept_payment": ["?invoice={number}"],
    "payments:batch_payments": ["?payer={payer}"],
    "payments:insurer_entries": ["?figure=insurer_balance"],
    "invoicing:new_invoice": ["?show=all"],
    "schedule:calendar": ["?view=month"],
}
#: A page that needs another object than the others of its kind.
INSTEAD = {"payments:apply_payment": {"visit": "billed_visit"}}


@pytest.mark.parametrize("name", sorted(set(PAGES) - set(NO_PAGE) - set(ELSEWHERE)))
def test_the_owner_opens(name: str, enter: Enter, server: Server) -> None:
    owner = enter("alice")
    alice = enter() if name in PUBLIC else owner
    for number, address in enumerate(addresses(server, name, owner)):
        answer = alice.open(address)
        if answer.status == 405:  # an action: it has no page, and says so
            alice.sees_heading("This address is not a page to open")
            return
        assert answer.status == 200, f"{address} answers {answer.status}"
        assert urlsplit(alice.page.url).path == urlsplit(address).path, f"{address} leads to {alice.page.url}"
        expect(alice.page.get_by_role("heading", level=1)).to_have_count(1)
        alice.glance(f"sweep-{name.replace(':', '-')}-{number}")


@pytest.mark.parametrize("name", sorted(set(ACCOUNT_PAGES) - set(NOT_SWEPT) - set(NO_PAGE)))
def test_about_the_login(name: str, enter: Enter) -> None:
    alice = enter("alice")
    answer = alice.open(reverse(name))
    if answer.status != 405:
        assert answer.status == 200, f"{name} answers {answer.status}"
        alice.glance(f"sweep-{name}")


def test_what_is_no_page_answers_without_one(enter: Enter, server: Server) -> None:
    alice = enter("alice")
    for name in set(NO_PAGE) & set(PAGES):
        address = addresses(server, name, alice)[0]
        answer = alice.context.request.get(server.url + address)
        assert answer.status == 200, f"{address} answers {answer.status}"
        assert "<html" not in answer.text(), f"{name} is a page: sweep it"
    assert not (set(NO_PAGE) | set(NOT_SWEPT) | set(ELSEWHERE)) - set(URLS), "a reason for an address that is gone"


def test_a_biller_opens_what_billing_is_for_and_nothing_else(enter: Enter, server: Server) -> None:
    alice, bob = enter("alice"), enter("bob")
    biller = frozenset({Permission.BILLING})
    wrong = []
    for name in sorted(set(NEEDS) - set(NO_PAGE) - set(ELSEWHERE)):
        for address in addresses(server, name, alice):
            status = bob.status_of(address)
            right = {200, 405} if allows(biller, NEEDS[name]) else {403, 405}
            if status not in right:
                wrong.append((address, status))
    assert wrong == []
    bob.open("/alder/organization/settings")
    bob.sees(re.compile("permission", re.IGNORECASE))
    bob.look("forbidden")
    bob.open("/alder/nowhere/")
    bob.look("not-found")


def addresses(server: Server, name: str, owner: Visitor) -> list[str]:
    """The address of a page with this practice's ids, and those of its other looks."""
    ids = dict(server.practice["everything"])
    if "sha256" in URLS[name]:
        ids |= upload(owner)
    ids |= {parameter: ids[other] for parameter, other in INSTEAD.get(name, {}).items()} | {"practice": "alder"}
    if "kind" in URLS[name] and "kind" not in ids:
        ids["kind"] = "clients"
    missing = set(URLS[name]) - set(ids)
    assert not missing, f"{name} needs {missing}: give an id of each in everything.py"
    plain = reverse(name, kwargs={parameter: ids[parameter] for parameter in URLS[name]})
    plain += f"?edit={ids['visit']}" if name == "invoicing:batch_edit" else ""
    return [plain, *(plain + query.format(**ids) for query in VARIANTS.get(name, ()))]


def upload(visitor: Visitor) -> dict[str, str]:
    """A file to preview and confirm, uploaded as people do."""
    visitor.open("/alder/import/")
    visitor.page.get_by_label(re.compile("^What the file")).select_option("locations")
    content = b"ID,Name,Place of Service\nL9,Annex,11\n"
    visitor.page.locator("input[type=file]").set_input_files(
        {"name": "locations.csv", "mimeType": "text/csv", "buffer": content}
    )
    visitor.button(re.compile("^Preview")).click()
    visitor.page.wait_for_url(re.compile("/[0-9a-f]{64}/"))
    kind, sha256 = urlsplit(visitor.page.url).path.strip("/").split("/")[-2:]
    return {"kind": kind, "sha256": sha256}
