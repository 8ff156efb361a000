"""Service types and prices through their actions, successes and refusals together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, connection, transaction

from daysheet.audit.models import AuditEvent
from daysheet.clients import actions as clients
from daysheet.database.scope import practice_transaction
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.kit.ids import new_id
from daysheet.practices.actor import Actor
from daysheet.services import actions, queries
from daysheet.services.models import ServiceType
from tests.people import Cast


@pytest.fixture
def alice(cast: Cast) -> Iterator[Actor]:
    with practice_transaction(cast.alder.id):
        yield cast.actor(cast.alice)


def add(actor: Actor, code: str = "9T001", kind: str = "cpt", **facts: object) -> ServiceType:
    return actions.add_service_type(actor, code=code, name="Session", kind=kind, rate_cents=15000, **facts)


def test_only_an_administrator_changes_service_types(cast, alice):
    session = add(alice)
    for actor in (cast.actor(cast.bob), cast.actor(cast.dan)):
        for write in (
            lambda: add(actor, "9T002"),  # noqa: B023
            lambda: actions.edit_service_type(actor, session.pk, rate_cents=1),  # noqa: B023
            lambda: actions.archive_service_type(actor, session.pk),  # noqa: B023
            lambda: actions.restore_service_type(actor, session.pk),  # noqa: B023
        ):
            with pytest.raises(NotAllowed):
                write()
    assert [service.pk for service in queries.service_types(cast.actor(cast.dan))] == [session.pk]


def test_a_change_is_audited_with_the_values_before_and_after_and_no_change_is_not(alice):
    session = add(alice)
    actions.edit_service_type(alice, session.pk, rate_cents=16000)
    event = AuditEvent.objects.get(verb="edit_service_type")
    assert event.details == {"changes": {"rate_cents": [15000, 16000]}}
    actions.edit_service_type(alice, session.pk, rate_cents=16000)
    assert AuditEvent.objects.filter(verb="edit_service_type").count() == 1


def test_there_is_one_fee_of_each_kind_and_it_has_no_cpt_code(alice):
    fee = add(alice, "NOSHOW", "non_cpt", is_no_show_fee=True)
    add(alice, "LATE", "non_cpt", is_late_cancel_fee=True)
    add(alice, "CANCEL", "non_cpt", is_canceled_fee=True)
    with pytest.raises(actions.FeeAlreadyThere):
        add(alice, "NOSHOW2", "non_cpt", is_no_show_fee=True)
    with pytest.raises(actions.FeeAlreadyThere):
        add(alice, "LATE2", "non_cpt", is_late_cancel_fee=True)
    with pytest.raises(actions.FeeAlreadyThere):
        add(alice, "CANCEL2", "non_cpt", is_canceled_fee=True)
    with pytest.raises(actions.FeeIsNotCpt):
        add(alice, "9T010", is_canceled_fee=True)
    with pytest.raises(actions.FeeIsNotCpt):
        add(alice, "9T009", is_no_show_fee=True)
    with pytest.raises(actions.FeeIsNotCpt):
        actions.edit_service_type(alice, fee.pk, kind="cpt", code="9T009")
    actions.archive_service_type(alice, fee.pk)
    add(alice, "NOSHOW2", "non_cpt", is_no_show_fee=True)
    with pytest.raises(actions.FeeAlreadyThere):
        actions.restore_service_type(alice, fee.pk)


def test_the_fees_are_chosen_together_and_a_mark_moves(alice):
    old, new, session = add(alice, "OLD", "non_cpt", is_no_show_fee=True), add(alice, "NEW", "non_cpt"), add(alice)
    chosen = {"is_no_show_fee": new.pk, "is_late_cancel_fee": new.pk, "is_canceled_fee": None}
    actions.set_fee_services(alice, chosen=chosen)
    assert {flag: each.pk for flag, each in queries.fee_services(alice).items()} == {
        "is_no_show_fee": new.pk,
        "is_late_cancel_fee": new.pk,
    }
    actions.set_fee_services(alice, chosen=chosen)
    (event,) = AuditEvent.objects.filter(verb="set_fee_services")
    assert event.details["changes"]["is_no_show_fee"] == ["OLD", "NEW"]
    for wrong, refusal in ((session.pk, actions.FeeIsNotCpt), (new_id(), NotFound)):
        with pytest.raises(refusal):
            actions.set_fee_services(alice, chosen=chosen | {"is_canceled_fee": wrong})
    actions.archive_service_type(alice, old.pk)
    with pytest.raises(NotFound):
        actions.set_fee_services(alice, chosen=chosen | {"is_canceled_fee": old.pk})
    assert queries.fee_services(alice)["is_no_show_fee"].fee_words == "No Show and Late Cancel fee"


def test_nothing_is_found_in_another_practice(cast, alice):
    session = add(alice)
    charlie = cast.actor(cast.charlie)
    with practice_transaction(cast.birch.id):
        for write in (
            lambda: actions.edit_service_type(charlie, session.pk, rate_cents=1),
            lambda: actions.archive_service_type(charlie, session.pk),
            lambda: queries.get_service_type(charlie, session.pk),
        ):
            with pytest.raises(NotFound):
                write()
        assert not queries.service_types(charlie, archived=None).exists()


def test_default_services_are_what_a_new_appointment_begins_with(cast, alice):
    ana = clients.add_client(alice, first_name="Ana", last_name="Ruiz")
    session, other = add(alice), add(alice, "9T002")
    actions.set_client_service(alice, ana.pk, session.pk, is_default=True)
    actions.set_client_service(alice, ana.pk, other.pk, set_payment_amount_cents=5000)
    assert queries.default_service_type_ids(alice, ana.pk) == [session.pk]
    actions.archive_service_type(alice, session.pk)
    assert queries.default_service_type_ids(alice, ana.pk) == []
    with pytest.raises(NotAllowed):
        actions.set_client_service(cast.actor(cast.dan), ana.pk, session.pk, is_default=True)


SERVICE = (
    "INSERT INTO services_servicetype (practice_id, id, code, name, kind, rate_cents, unit_rule, unit_count, "
    "default_minutes, modifiers, bills_insurance, is_no_show_fee, is_late_cancel_fee, is_canceled_fee) "
    "VALUES (%s, gen_random_uuid(), %s, 'n', %s, %s, %s, %s, 50, '{{}}', true, {no_show}, {late}, false)"
)


@pytest.mark.parametrize(
    ("values", "no_show", "late", "constraint"),
    [
        (("9T001", "cpt", 1, "always", 1), "false", "false", "service_code_once"),
        (("9T002", "cpt", -1, "always", 1), "false", "false", "service_rate_not_negative"),
        (("9T002", "cpt", 1, "always", 0), "false", "false", "service_unit_count_positive"),
        (("9T002", "drug", 1, "always", 1), "false", "false", "service_kind_known"),
        (("9T002", "cpt", 1, "never", 1), "false", "false", "service_unit_rule_known"),
        (("9T002", "cpt", 1, "always", 1), "true", "false", "service_fee_is_not_cpt"),
        (("9T002", "hcpcs", 1, "always", 1), "false", "true", "service_fee_is_not_cpt"),
        (("FEE2", "non_cpt", 1, "always", 1), "true", "false", "service_one_no_show_fee"),
        (("FEE2", "non_cpt", 1, "always", 1), "false", "true", "service_one_late_cancel_fee"),
    ],
)
def test_the_database_refuses_a_wrong_service_type(cast, alice, values, no_show, late, constraint):
    add(alice)
    add(alice, "FEE", "non_cpt", is_no_show_fee=True, is_late_cancel_fee=True)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SERVICE.format(no_show=no_show, late=late), [cast.alder.id, *values])


def test_the_database_refuses_a_negative_amount_of_a_client(cast, alice):
    session, ana = add(alice), clients.add_client(alice, first_name="Ana", last_name="Ruiz")
    actions.set_client_service(alice, ana.pk, session.pk, set_payment_amount_cents=1)
    refused = pytest.raises(IntegrityError, match="client_service_amount_not_negative")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE services_clientservice SET set_payment_amount_cents = -1 WHERE practice_id = %s", [cast.alder.id]
        )
