"""Every address under a practice × every role × GET and POST (P1, P2). An address that is not in the table fails.

403 where a person lacks the permission, 404 for a stranger, for another practice's object and for a client the person
is not assigned to. What is allowed never ends in a server error, whatever is posted.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from django.db import transaction
from django.test import Client as Browser

from daysheet.clients.models import ClientAssignment
from daysheet.practices.permissions import Permission, allows
from daysheet.staff.models import StaffMember
from tests.people import Person

from .methods import is_listed
from .world import World, address, browser_of, practice_urls

_D, _B, _A = Permission.DEFAULT, Permission.BILLING, Permission.ADMINISTRATOR
#: What each address needs. Docs: docs/permissions.md is made from this table.
NEEDS: dict[str, Permission] = {
    **dict.fromkeys(
        (
            "help:index", "help:page", "help:picture",
            "practices:my_account", "clients:list", "clients:search", "clients:add", "clients:details", "clients:edit",
            "clients:archive", "clients:activate", "clients:assign_staff", "clients:unassign_staff",
            "clients:add_diagnosis", "clients:end_diagnosis", "clients:move_diagnosis_up", "schedule:agenda",
            "schedule:calendar", "schedule:add_appointment", "schedule:appointment", "schedule:change_status",
            "schedule:move_appointment", "documents:logo",
            "schedule:cancel_appointment", "schedule:change_repetition", "schedule:series",
            "schedule:client_appointments", "schedule:calendar_feed", "schedule:stop_calendar_feed",
        ),
        _D,
    ),
    **dict.fromkeys(
        (
            "clients:bill_to", "clients:edit_bill_to", "clients:add_coverage", "clients:edit_coverage",
            "clients:end_coverage", "clients:insurers", "clients:add_insurer", "clients:insurer",
            "clients:edit_insurer", "services:add_client_service", "services:edit_client_service",
            "services:remove_client_service", "clients:record_income", "clients:take_income_back",
            "invoicing:visit_price",
            "invoicing:add_invoice", "invoicing:add_group_invoices", "invoicing:new_invoice", "invoicing:invoice",
            "invoicing:void_invoice", "invoicing:batch", "invoicing:batch_edit",
            "invoicing:batch_history", "invoicing:batch_run", "invoicing:continue_batch", "invoicing:retry_batch",
            "invoicing:undo_batch", "invoicing:unbilled", "payments:ledger", "payments:entries",
            "payments:insurer_entries", "payments:payment_entries", "payments:add_note", "payments:update_note",
            "payments:accept_payment", "payments:apply_credit", "payments:apply_payment", "payments:payment",
            "payments:insurance_payment", "payments:batch_payments", "payments:apply_insurance_credit",
            "payments:unapply", "payments:refund", "payments:delete_payment", "payments:edit_payment",
            "payments:write_offs", "payments:write_off", "payments:remove_write_off",
            "payments:change_responsibility", "payments:edit_line", "payments:void_and_rebill",
            "cards:charge_cards", "cards:history", "cards:charge_run", "cards:retry", "cards:client_cards",
            "cards:charge_client", "cards:remove", "cards:look", "cards:refund", "cards:charge", "cards:ask",
            "cards:mark_not_charged", "cards:mark_charged", "cards:card_refund", "cards:mark_refunded",
            "cards:mark_not_refunded",
            "claims:list", "claims:add", "claims:withdraw",
            "automation:night", "automation:dry_run",
            "mail:delivery_log", "mail:message", "mail:attachment", "mail:send_again", "mail:mark_sent",
            "mail:withdraw", "mailings:batch_statements", "mailings:statement_history", "mailings:existing_invoices",
            "mailings:invoice_history", "mailings:run", "mailings:file", "mailings:continue", "mailings:remake_file",
            "mailings:stop_sending", "mailings:send_failed", "mailings:email_document", "mailings:email_together",
            "reports:index", "reports:day_sheet", "reports:close_day", "reports:entries", "reports:invoice_aging",
            "reports:aging_lines", "reports:payments", "reports:payment_methods", "reports:credits",
            "reports:unbilled", "reports:collections",
            "documents:client_documents", "documents:statement", "documents:superbill", "documents:invoices",
            "documents:receipts", "documents:document", "documents:document_pdf", "documents:made_together",
            "documents:made_together_pdf", "documents:print_invoice", "documents:invoice_superbill",
            "documents:receipt", "documents:owed_estimates", "documents:client_estimates",
            "documents:give_estimate", "documents:request_estimate", "documents:estimate",
        ),
        _B,
    ),
    **dict.fromkeys(
        (
            "practices:settings", "practices:locations", "practices:add_location", "practices:location", "staff:list",
            "staff:add", "staff:details", "staff:edit", "staff:invite", "staff:withdraw_invitation", "staff:licenses",
            "staff:licenses_csv", "staff:license", "staff:assign_license", "staff:cpt_access", "services:list",
            "services:add", "services:edit", "services:archive", "services:restore", "services:priced_payers",
            "services:payer_prices", "services:add_payer_rate", "services:edit_payer_rate", "services:end_payer_rate",
            "services:remove_payer_rate", "services:copy_fee_schedule", "services:add_payer_rule",
            "services:end_payer_rule", "services:remove_payer_rule", "services:income_amounts",
            "services:add_income_amounts", "services:edit_income_amounts", "services:remove_income_amounts",
            "imports:upload",
            "imports:template", "imports:preview", "imports:confirm", "audit:activity_log", "audit:record_views",
            "documents:look", "documents:upload_logo", "documents:remove_logo",
            "cards:processor", "schedule:cancellation_policy", "schedule:stop_feed_of",
            "mail:mailbox", "mail:send_test",
            "first_hour:guide", "first_hour:step", "first_hour:skip", "first_hour:dismiss", "first_hour:resume",
            "automation:automation", "automation:edit", "automation:add_rule", "automation:end_rule",
        ),
        _A,
    ),
    "practices:sign_in_rules": Permission.ORGANIZATION_ADMINISTRATOR,
}  # fmt: skip
#: What an address needs beside that.
ALSO = dict.fromkeys(
    ("cards:mark_not_charged", "cards:mark_charged", "cards:mark_refunded", "cards:mark_not_refunded"), _A
)
#: Reached without signing in, and what is the key instead.
PUBLIC = {
    "schedule:feed": "the secret in its address: calendar applications do not sign in; it names no client",
    "staff:join": "the secret in its address",
    "cards:webhook": "the card processor's signature over the message, in a POST of at most 64 KB",
}
#: Parameters that name a client's data: what assigned-only people must not reach.
OF_A_CLIENT = {
    "series", "occurrence",
    "client", "coverage", "diagnosis", "appointment", "visit", "number", "note", "payment", "line", "entry",
    "card", "setup", "claim", "document", "made_in", "insurer_payment", "message", "mailing", "charge", "estimate",
    "card_refund",
}  # fmt: skip
#: Parameters that are ids of objects of a practice.
OBJECTS = OF_A_CLIENT | {
    "payer",
    "service_type",
    "rate",
    "payer_rule",
    "scale",
    "batch",
    "location",
    "license",
    "staff_member",
    "run",
    "account",
    "logo",
    "night",
    "rule",
    "feed",
}
#: What an allowed request may end in: shown, done, or refused by a rule with its reason. Never 403, 404 or 500.
ANSWERS = {200, 302, 303, 405, 422}


def _status(browser: Browser, method: str, url: str) -> int:
    """The answer's status; whatever was written is taken back."""
    with transaction.atomic():
        status = getattr(browser, method)(url).status_code
        transaction.set_rollback(True)
    return int(status)


def _cases(world: World, only: Collection[str] = ()) -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    for name, params in sorted(practice_urls().items()):
        if only and name not in only:
            continue
        for method in ("get", "post"):
            query = f"?edit={world.ids['visit']}" if name == "invoicing:batch_edit" else ""
            yield name, method, params, address(name, "alder", params, world.ids) + query


def unlisted() -> set[str]:
    """Addresses that nobody decided about, and decisions about what is gone."""
    return (set(practice_urls()) - set(PUBLIC)) ^ set(NEEDS)


def test_every_address_is_in_the_table_and_no_entry_is_stale() -> None:
    assert unlisted() == set()


def _people(world: World) -> list[tuple[Person, frozenset[Permission]]]:
    cast = world.cast
    admin = StaffMember.objects.filter(pk=cast.carol.staff_member_id)
    admin.update(permissions=[Permission.ADMINISTRATOR.value])
    return [
        (cast.dan, frozenset()),
        (cast.bob, frozenset({_B})),
        (cast.carol, frozenset({_A})),
        (cast.alice, frozenset({Permission.ORGANIZATION_ADMINISTRATOR})),
    ]


def wrong_for_a_role(world: World, only: Collection[str] = ()) -> list[tuple[str, str, str, int]]:
    """(person, method, address, status) where a role is let in or kept out against the table, or meets an error."""
    wrong = []
    for person, held in _people(world):
        browser = browser_of(person)
        for name, method, _, url in _cases(world, only):
            if name in PUBLIC:
                continue
            status = _status(browser, method, url)
            if allows(held, NEEDS[name]) and allows(held, ALSO.get(name, _D)):
                right = status in ANSWERS and (status != 405) == is_listed(name, method)
            else:
                right = status in {403, 405}
            if not right:
                wrong.append((person.email, method, name, status))
    return wrong


def test_each_role_gets_what_it_may_and_nothing_else(world: World) -> None:
    assert wrong_for_a_role(world) == []


def wrong_for_outsiders(world: World, only: Collection[str] = ()) -> list[tuple[str, str, str, int]]:
    """(who, method, address, status) where somebody unsigned, or the owner of another practice, is answered."""
    anonymous, stranger = Browser(raise_request_exception=False), browser_of(world.cast.charlie)
    wrong = []
    for name, method, _, url in _cases(world, only):
        if name in PUBLIC:
            continue
        if (status := _status(anonymous, method, url)) != 302:
            wrong.append(("anonymous", method, name, status))
        if (status := _status(stranger, method, url)) != 404:
            wrong.append(("stranger", method, name, status))
    return wrong


def test_nobody_gets_in_unsigned_and_a_stranger_finds_nothing(world: World) -> None:
    assert wrong_for_outsiders(world) == []


def objects_of_others_found(world: World, only: Collection[str] = ()) -> list[tuple[str, str, int]]:
    """(method, address, status) where the owner of another practice, on pages of her own, finds an object of Alder."""
    stranger = browser_of(world.cast.charlie)
    wrong = []
    for name, params in practice_urls().items():
        if not OBJECTS & set(params) or (only and name not in only):
            continue
        url = address(name, "birch", params, world.ids)
        for method in ("get", "post"):
            if (status := _status(stranger, method, url)) not in {404, 405}:
                wrong.append((method, name, status))
    return wrong


def test_objects_of_another_practice_do_not_exist(world: World) -> None:
    assert objects_of_others_found(world) == []


def clients_of_others_found(world: World, only: Collection[str] = ()) -> list[tuple[str, str, int]]:
    """(method, address, status) where a biller who is limited to assigned clients finds another one's."""
    StaffMember.objects.filter(pk=world.cast.bob.staff_member_id).update(limited_to_assigned=True)
    bob = browser_of(world.cast.bob)
    hidden = []
    for name, method, params, url in _cases(world, only):
        if OF_A_CLIENT & set(params) and allows(frozenset({_B}), NEEDS[name]):
            hidden.append((method, name, _status(bob, method, url)))
    # 403: what limited people may never do, asked before the client is looked for.
    return [each for each in hidden if each[2] not in {403, 404, 405}]


def test_people_limited_to_assigned_clients_do_not_find_the_others(world: World) -> None:
    assert clients_of_others_found(world) == []
    bob = browser_of(world.cast.bob)
    ClientAssignment.objects.create(client_id=world.ids["client"], staff_member_id=world.cast.bob.staff_member_id)
    assert _status(bob, "get", address("clients:details", "alder", ("client",), world.ids)) == 200


def test_the_secret_of_an_invitation_is_the_key(world: World) -> None:
    anonymous = Browser()
    url = address("staff:join", "alder", ("token",), world.ids)
    assert _status(anonymous, "get", url) == 200
    assert _status(anonymous, "get", address("staff:join", "alder", ("token",), {"token": "guess"})) in {404, 410}
    assert _status(anonymous, "get", address("staff:join", "birch", ("token",), world.ids)) in {404, 410}


def _page_of_permissions() -> str:
    lines = [
        "# Who may open what",
        "",
        "Made from the table of `tests/architecture/test_role_matrix.py`, which tries every address in every role.",
        "Organization Administrator may open everything. A stranger gets 404, a person without the permission 403.",
        "",
        "| address | needs |",
        "|---|---|",
    ]
    for name, needs in sorted(NEEDS.items()):
        also = f" and {ALSO[name].label}" if name in ALSO else ""
        lines.append(f"| `{name}` | {needs.label}{also} |")
    lines += [f"| `{name}` | no sign-in: {key} |" for name, key in sorted(PUBLIC.items())]
    return "\n".join(lines) + "\n"


def test_the_page_of_permissions_is_this_table() -> None:
    """`DAYSHEET_WRITE_DOCS=1` in the environment writes it anew."""
    page = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"
    if os.environ.get("DAYSHEET_WRITE_DOCS"):
        page.write_text(_page_of_permissions(), encoding="utf-8")
    assert page.read_text(encoding="utf-8") == _page_of_permissions()
