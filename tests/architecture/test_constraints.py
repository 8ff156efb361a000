"""Every CHECK, UNIQUE and foreign key of our tables is really tried, in raw SQL as the runtime role; and what the role
was not granted is refused. A constraint without an attempt here fails the suite.

The attempts are made from the catalogue: a row that the world holds is copied with just what the constraint forbids.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.utils import ProgrammingError

from daysheet.config.verify_storage import APPEND_ONLY
from daysheet.database.scope import practice_transaction
from tests.people import Cast

from .world import World, build_world

#: What each CHECK forbids: {constraint: SQL assignments that break it in a copied row}.
FORBIDDEN: dict[str, str] = {
    "audit_seal_goes_forward": "from_at = to_at",
    "audit_seal_hash_shape": "hash = 'nonsense'",
    "automation_night_range_before": "to_on = night_on",
    "automation_night_stopped_is_over": "has_stopped = true, finished_at = NULL",
    "automation_plan_grouping_known": "grouping = 'week'",
    "automation_plan_link_shape": "link_base = 'javascript:alert(1)'",
    "automation_plan_look_back_sane": "look_back_days = 61",
    "automation_plan_night_after_start": "first_night_on = starts_on",
    "automation_plan_version_positive": "version = 0",
    "appointment_ends_after": "ends_at = starts_at",
    "appointment_group_limit_sane": "group_limit = 1",
    "appointment_on_its_series_date": "occurrence_on = service_on + 1, apart_at = NULL, "
    "series_id = (SELECT id FROM schedule_series LIMIT 1)",
    "appointment_pos_digits": "place_of_service = '1'",
    "batch_door_known": "door = 'window'",
    "batch_grouping_known": "grouping = 'week'",
    "batch_problem_kind_known": "kind = 'lost'",
    "calendar_feed_hash_not_secret": "token_hash = 'the secret itself'",
    "cancellation_charge_known": "no_show_charge = 'never'",
    "cancellation_notice_sane": "notice_hours = 721",
    "card_expiry_sane": "expires_month = 13",
    "card_last4_digits": "last4 = '12x4'",
    "card_refund_amount_positive": "amount_cents = 0",
    "card_refund_decision_known": "outcome = 'refunded', reference = ''",
    "card_refund_decision_reason": "reason = ''",
    "card_refund_has_reason": "reason = ''",
    "card_refund_state_known": "state = 'lost'",
    "card_token_is_no_number": "token = '4242 4242 4242 4242'",
    "charge_amount_positive": "amount_cents = 0, told_credit_cents = 0",
    "charge_decision_has_reason": "reason = ''",
    "charge_decision_known": "outcome = 'charged', reference = ''",
    "charge_inquiry_answered": "answered_at = now(), answer = ''",
    "charge_state_known": "state = 'lost'",
    "claim_withdrawn_has_reason": "withdrawn_at = now(), withdrawn_reason = ''",
    "client_documents_by_known": "documents_by = 'fax'",
    "client_pays_by_known": "pays_by = 'barter'",
    "client_service_amount_not_negative": "set_payment_amount_cents = -1",
    "client_set_amount_not_negative": "set_payment_amount_cents = -1",
    "client_sex_known": "sex = 'X'",
    "client_income_household_sane": "household_size = 31",
    "client_income_not_negative": "income_cents = -1",
    "client_income_period_known": "period = 'week'",
    "client_income_renewed_later": "renew_on = given_on",
    "client_income_whole_or_taken_back": "household_size = NULL",
    "closed_day_proves": "closing_cents_snapshot = closing_cents_snapshot + 1",
    "coverage_copay_not_negative": "copay_cents = -1",
    "coverage_ends_after_start": "ends_on = starts_on",
    "coverage_rank_sane": "rank = 0",
    "delivery_step_decision_has_name": "outcome = 'again', by_name = ''",
    "delivery_step_outcome_known": "outcome = 'lost'",
    "diagnosis_code_shape": "code = 'nonsense'",
    "diagnosis_position_sane": "position = 13",
    "dispute_amount_positive": "amount_cents = 0",
    "dispute_outcome_known": "outcome = 'tie'",
    "document_settings_colour_shape": "brand_colour = 'green'",
    "document_settings_pay_to_known": "pay_to = 'moon'",
    "estimate_has_description": "description = ''",
    "estimate_item_adds_up": "expected_cents = expected_cents + 1",
    "estimate_twelve_months": "last_on = first_on + 366",
    "entry_accounts_differ": "debit_account = credit_account",
    "entry_accounts_known": "debit_account = 'pocket'",
    "entry_amount_positive": "amount_cents = 0",
    "entry_insurance_money_has_coverage": "debit_account = 'credit', credit_account = 'insurance_receivable', "
    "payment_id = (SELECT id FROM payments_payment LIMIT 1), coverage_id = NULL",
    "entry_money_has_payment": "debit_account = 'cash', credit_account = 'credit', payment_id = NULL",
    "entry_receivable_has_line": "line_id = NULL",
    "exclusion_end_has_name": "ended_at = now(), ended_by_name = ''",
    "exclusion_for_something": "for_invoices = false, for_claims = false",
    "exclusion_has_condition": "service_type_id = NULL",
    "exclusion_has_note": "note = ''",
    "exclusion_insurer_fits_pays_by": "pays_by = 'self', payer_id = (SELECT id FROM clients_payer LIMIT 1)",
    "exclusion_pays_by_known": "pays_by = 'barter'",
    "exclusion_range_in_order": "from_on = '2026-11-02', to_on = '2026-11-01'",
    "exclusion_status_known": "status = 'canceled'",
    "income_scale_period_known": "period = 'week'",
    "income_step_amount_not_negative": "amount_cents = -1",
    "income_step_from_not_negative": "income_from_cents = -1",
    "income_step_household_sane": "household_from = 0",
    "guide_mark_step_known": "step = 'coffee'",
    "invoice_counter_positive": "next_number = 0",
    "invoice_number_positive": "number = 0",
    "invoice_void_has_reason": "reason = ''",
    "job_run_state_known": "state = 'lost'",
    "left_out_kind_known": "kind = 'lost', rule_id = NULL",
    "left_out_rule_named": "rule_id = NULL",
    "left_out_visit_or_invoice": "visit_id = NULL",
    "license_fee_not_negative": "fee_cents = -1",
    "license_year_sane": "year = 1999",
    "line_amount_is_rate_units": "units = units + 1",
    "line_ended_owes_nothing": "ended_at = now(), client_open_cents = 1, insurance_open_cents = 0",
    "line_insured_has_coverage": "coverage_id = NULL, insurance_cents = amount_cents, client_cents = 0, "
    "client_open_cents = 0, insurance_open_cents = 0",
    "line_open_not_negative": "client_open_cents = -1",
    "line_open_within_amount": "client_open_cents = amount_cents + 1",
    "line_price_source_known": "price_source = 'hearsay'",
    "line_sides_add_up": "client_cents = client_cents + 1",
    "line_sides_not_negative": "coverage_id = gen_random_uuid(), client_cents = -1, insurance_cents = amount_cents + 1",
    "line_units_and_rate": "units = 0, amount_cents = 0, client_cents = 0, insurance_cents = 0, "
    "client_open_cents = 0, insurance_open_cents = 0",
    "logo_bytes_bounded": "png = decode(repeat('00', 400001), 'hex')",
    "logo_has_alt": "alt = ''",
    "logo_size_sane": "width = 5000",
    "made_has_pages": "page_count = 0",
    "made_kind_known": "kind = 'poem'",
    "made_of_its_subject": "invoice_id = NULL",
    "made_period_in_order": "first_on = '2026-11-02', last_on = '2026-11-01'",
    "made_sha256_shape": "sha256 = 'x'",
    "location_pos_digits": "place_of_service = '1'",
    "mailing_at_least_not_negative": "at_least_cents = -1",
    "mailing_basis_known": "basis = 'moon'",
    "mailing_file_key_shape": "key = '../secret'",
    "mailing_file_not_empty": "size_bytes = 0",
    "mailing_item_done_has_outcome": "outcome = '', code = ''",
    "mailing_item_skipped_has_reason": "outcome = 'skipped', code = ''",
    "mailing_item_way_known": "way = 'fax'",
    "mailing_kind_known": "kind = 'receipt'",
    "mailing_period_in_order": "last_on = first_on - 1",
    "night_claim_result_when_done": "claim_count = 1, done_at = NULL",
    "message_address_shape": "address = 'ana ben@example.org'",
    "message_claim_fits_state": "state = 'waiting', sent_at = NULL, claim_id = gen_random_uuid()",
    "message_client_is_recipient": "recipient_id = gen_random_uuid()",
    "message_sent_has_moment": "state = 'waiting'",
    "message_state_known": "state = 'lost', sent_at = NULL",
    "message_subject_one_line": "subject = E'One\\nTwo'",
    "payer_rate_not_negative": "rate_cents = -1",
    "payer_rule_end_says_nothing": "is_end = true, billed_place_of_service = '11'",
    "payer_rule_modifiers_fit": "added_modifiers = ARRAY['A1', 'A2', 'A3', 'A4', 'A5']",
    "payer_rule_places_digits": "place_of_service = '1'",
    "payment_amount_positive": "amount_cents = 0, unapplied_cents = 0",
    "payment_charge_is_card": "charge_id = gen_random_uuid(), method = 'cash'",
    "payment_method_known": "method = 'shells', charge_id = NULL",
    "payment_prepayment_has_visit": "is_prepayment = true, visit_id = NULL",
    "payment_reversal_has_reason": "reason = ''",
    "payment_unapplied_within_amount": "unapplied_cents = amount_cents + 1",
    "processor_kind_known": "kind = 'shells'",
    "service_fee_is_not_cpt": "is_no_show_fee = true, kind = 'cpt'",
    "service_kind_known": "kind = 'magic'",
    "service_rate_not_negative": "rate_cents = -1",
    "service_unit_count_positive": "unit_count = 0",
    "service_unit_rule_known": "unit_rule = 'sometimes'",
    "series_ends_within_bounds": "count = NULL, until_on = starts_on + 732",
    "series_every_sane": "every = 0",
    "series_group_limit_sane": "group_limit = 1",
    "series_minutes_sane": "minutes = 0",
    "series_pos_digits": "place_of_service = '1'",
    "series_rule_complete": "frequency = 'monthly_day', weekdays = 0, month_day = NULL",
    "series_week_starts_sane": "week_starts = 7",
    "staff_npi_digits": "npi = '12'",
    "staff_permissions_known": "permissions = ARRAY['everything']",
    "visit_initiator_known": "initiated_by = 'weather'",
    "visit_service_rate_not_negative": "rate_cents = -1",
    "visit_service_removed_is_suspended": "removed_at = now(), is_suspended = false",
    "visit_service_units_positive": "units = 0",
    "visit_status_known": "status = 'lost'",
}
#: CHECKs on shared tables, tried by an UPDATE.
FORBIDDEN_SHARED = {
    "practice_fee_not_negative": "UPDATE practices_practice SET cpt_license_fee_cents = -1",
    "practice_idle_minutes": "UPDATE practices_practice SET idle_minutes = 4",
}
#: What Django makes of Positive…Field: `<column> >= 0`; one attempt each, made below.
_POSITIVE = "_check"
_FREE_NIGHT = "(SELECT max(night_on) + 1 FROM automation_night)"
#: Tables the world leaves empty, with a row for each, and rows that only attempts need.
FILLED = {
    "first_hour_guidemark": "INSERT INTO first_hour_guidemark (practice_id, id, step, made_at, made_by_name) "
    "SELECT id, gen_random_uuid(), 'client', now(), 'x' FROM practices_practice WHERE slug = 'alder'",
    "automation_nightclaim": "INSERT INTO automation_nightclaim (practice_id, id, night_id, invoice_id, claim_count, "
    "code, message) SELECT n.practice_id, gen_random_uuid(), n.id, i.id, 0, '', '' FROM automation_night n, "
    "invoicing_invoice i LIMIT 1",
    "invoicing_invoicevoid": "INSERT INTO invoicing_invoicevoid (practice_id, id, invoice_id, voided_at, "
    "voided_by_name, reason) SELECT practice_id, gen_random_uuid(), id, now(), 'x', 'x' FROM invoicing_invoice LIMIT 1",
    "invoicing_batchproblem": "INSERT INTO invoicing_batchproblem (practice_id, id, batch_id, client_id, "
    "visit_service_ids, kind, code, message) SELECT b.practice_id, gen_random_uuid(), b.id, i.client_id, '{}', "
    "'refused', 'x', 'x' FROM invoicing_batch b, invoicing_batchitem i LIMIT 1",
    "payments_paymentreversal": "INSERT INTO payments_paymentreversal (practice_id, id, payment_id, reversed_at, "
    "reversed_by_name, reason) SELECT practice_id, gen_random_uuid(), id, now(), 'x', 'x' FROM payments_payment "
    "LIMIT 1",
    "cards_chargedecision": "INSERT INTO cards_chargedecision (practice_id, id, charge_id, outcome, reference, reason, "
    "decided_at, decided_by_name) SELECT practice_id, gen_random_uuid(), id, 'not_charged', '', 'x', now(), 'x' "
    "FROM cards_charge LIMIT 1",
    "cards_cardrefunddecision": "INSERT INTO cards_cardrefunddecision (practice_id, id, refund_id, outcome, reference, "
    "reason, decided_at, decided_by_name) SELECT practice_id, gen_random_uuid(), id, 'not_refunded', '', 'x', now(), "
    "'x' FROM cards_cardrefund LIMIT 1",
    "cards_chargeinquiry": "INSERT INTO cards_chargeinquiry (practice_id, id, charge_id, asked_at, asked_by_name, "
    "answer) SELECT practice_id, gen_random_uuid(), id, now(), 'x', '' FROM cards_charge LIMIT 1",
    "cards_chargerun": "INSERT INTO cards_chargerun (practice_id, id, created_at, created_by_name, expected_count, "
    "expected_cents) SELECT id, gen_random_uuid(), now(), 'x', 0, 0 FROM practices_practice WHERE slug = 'alder'",
    "cards_cardsetup": "INSERT INTO cards_cardsetup (practice_id, id, client_id, account_id, reference, started_at, "
    "started_by_name) SELECT practice_id, gen_random_uuid(), client_id, account_id, 'x', now(), 'x' "
    "FROM cards_cardsetup LIMIT 1",
    "schedule_cancellationpolicy": "INSERT INTO schedule_cancellationpolicy (practice_id, id, notice_hours, "
    "no_show_charge, late_cancel_charge, canceled_charge) SELECT id, gen_random_uuid(), 24, 'ask', 'ask', 'ask' "
    "FROM practices_practice WHERE slug = 'alder'",
    "staff_licenserenewalrun": "INSERT INTO staff_licenserenewalrun (practice_id, id, year, ran_at, renewed_count) "
    "SELECT id, gen_random_uuid(), 2025, now(), 0 FROM practices_practice WHERE slug = 'alder'",
    "config_verification": "INSERT INTO config_verification (practice_id, id, ran_on, ran_at, check_count, "
    "difference_count, found) SELECT id, gen_random_uuid(), '2026-11-01', now(), 1, 0, '[]' FROM practices_practice "
    "WHERE slug = 'alder'",
    "clients_clientassignment": "INSERT INTO clients_clientassignment (practice_id, id, client_id, staff_member_id) "
    "SELECT c.practice_id, gen_random_uuid(), c.id, s.id FROM clients_client c, staff_staffmember s LIMIT 1",
    "ledger_closedday": "INSERT INTO ledger_closedday (practice_id, id, day, closed_at, closed_by_name, "
    "opening_cents_snapshot, charges_cents_snapshot, payments_cents_snapshot, adjustments_cents_snapshot, "
    "closing_cents_snapshot, entry_count_snapshot) SELECT id, gen_random_uuid(), '2026-11-01', now(), 'x', 0, 0, 0, 0, "
    "0, 0 FROM practices_practice WHERE slug = 'alder'",
    "imports_importedfile": "INSERT INTO imports_importedfile (practice_id, id, kind, file_name, sha256, row_count, "
    "created_count, changed_count, unchanged_count, imported_at, imported_by_name) SELECT id, gen_random_uuid(), 'x', "
    "'x', 'x', 0, 0, 0, 0, now(), 'x' FROM practices_practice WHERE slug = 'alder'",
}
#: Columns of unique keys that are empty in the world, with what to put there in both rows.
GIVEN = {"external_id": "'E1'", "request_key": "gen_random_uuid()", "reverses_id": "id", "user_id": "NULL"}


@pytest.fixture
def world(cast: Cast) -> Iterator[World]:
    with practice_transaction(cast.alder.id):
        world = build_world(cast)
        with connection.cursor() as cursor:
            for statement in FILLED.values():
                cursor.execute(statement)
        yield world


def _rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _tenant_tables() -> list[str]:
    found = _rows(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'practice_id' "
        "JOIN pg_attribute i ON i.attrelid = c.oid AND i.attname = 'id' AND i.atttypid = 'uuid'::regtype "
        "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1"
    )
    return [name for (name,) in found]


def _constraints(kind: str) -> list[tuple[str, str, str]]:
    return _rows(
        "SELECT k.conrelid::regclass::text, k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k "
        "WHERE k.contype = %s AND k.conrelid::regclass::text = ANY(%s) ORDER BY 1, 2",
        kind,
        _tenant_tables(),
    )


#: Which rows are copied where a table has more than one kind: a client's payment, not an insurer's; a client's message;
#: an entry that takes no other back.
_KIND = {
    "payments_payment": "client_id IS NOT NULL",
    "mail_message": "client_id IS NOT NULL",
    "ledger_entry": "reverses_id IS NULL",
}


def _copy(table: str, assignments: str, where: str = "true") -> None:
    """Insert a copy of one row of the table under a new id, with some columns changed."""
    columns = [name for (name,) in _rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped", table
    )]  # fmt: skip
    changed = dict(part.split(" = ", 1) for part in _split(assignments))
    values = [changed.get(name, "gen_random_uuid()" if name == "id" else f'"{name}"') for name in columns]
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" ({names}) SELECT {", ".join(values)} FROM "{table}" '
            f"WHERE {where} AND {_KIND.get(table, 'true')} ORDER BY id LIMIT 1"
        )
        assert cursor.rowcount == 1, f"{table} has no row to copy"


def _split(assignments: str) -> list[str]:
    """`a = 1, b = f(x, y)` at its top-level commas."""
    parts, depth, start = [], 0, 0
    for position, char in enumerate(assignments):
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 0:
            parts.append(assignments[start:position].strip())
            start = position + 1
    return [part for part in [*parts, assignments[start:].strip()] if part]


def _refused_by(name: str, attempt: Any) -> str:
    """Empty where the attempt was refused by this very constraint; what happened otherwise."""
    try:
        with transaction.atomic():
            attempt()
    except IntegrityError as error:
        refusing = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
        return "" if refusing == name else f"{name}: refused by {refusing}"
    except DatabaseError as error:
        return f"{name}: {error}"
    return f"{name}: not refused"


def test_every_check_is_tried_and_refuses(world: World) -> None:
    problems, untried = [], []
    for table, name, definition in _constraints("c"):
        if name in FORBIDDEN:
            where = "line_id IS NOT NULL AND payment_id IS NULL" if table == "ledger_entry" else "true"
            problems.append(_refused_by(name, lambda t=table, n=name, w=where: _copy(t, FORBIDDEN[n], w)))
        elif name.endswith(_POSITIVE) and definition.endswith(">= 0))"):
            column = definition.removeprefix("CHECK ((").removesuffix(" >= 0))").strip('"')
            # A stricter check of the same column, met first, refuses as well.
            problem = _refused_by(name, lambda t=table, c=column: _copy(t, f"{c} = -1"))
            problems.append("" if ": refused by " in problem and column in problem.split(" by ")[1] else problem)
        else:
            untried.append(f"{table}.{name}: {definition}")
    assert untried == []
    assert [problem for problem in problems if problem] == []
    assert set(FORBIDDEN) <= {name for _, name, _ in _constraints("c")}


def test_every_foreign_key_refuses_a_row_that_is_not_there(world: World) -> None:
    """A made-up id, which is also what another practice's id is: the key carries the practice."""
    problems = []
    for table, name, definition in _constraints("f"):
        if "practice_id)" in definition and "FOREIGN KEY (practice_id) " in definition:
            continue
        column = definition.split("(", 1)[1].split(")", 1)[0].split(", ")[-1].strip('"')
        made_up = "-1" if column == "user_id" else "gen_random_uuid()"
        freed = {**_FREED.get(table, {}), column: made_up, **_BESIDE.get(name, {})}
        values = ", ".join(f"{key} = {value}" for key, value in freed.items())
        problems.append(_refused_by(name, lambda t=table, v=values: _copy(t, v)))
        if column != "user_id":
            assert "practice_id" in definition, f"{name} does not carry the practice"
        assert "DEFERRABLE" not in definition, f"{name} would only be checked at COMMIT"
    assert [problem for problem in problems if problem] == []
    assert len(problems) > 40


def test_every_unique_key_carries_the_practice_and_refuses_a_twin(world: World) -> None:
    problems = []
    for table, name, definition in _rows(
        "SELECT c.relname, i.relname, pg_get_indexdef(x.indexrelid) FROM pg_index x "
        "JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid "
        "WHERE x.indisunique AND NOT x.indisprimary AND c.relname = ANY(%s) ORDER BY 1, 2",
        _tenant_tables(),
    ):
        assert "(practice_id" in definition, f"{name} tells one practice about another"
        problems.append(_twin(table, name, definition))
    assert [problem for problem in problems if problem] == []
    assert len(problems) > 20


def _twin(table: str, name: str, definition: str) -> str:
    """Copies a row twice with the same key: the second must be refused by the index."""
    columns = definition.split("USING btree (", 1)[1]
    fixed = {column: value for column, value in GIVEN.items() if f"{column}" in columns.split(" WHERE ")[0]}
    where, extra = _making_it_apply(name)
    if "user_id" in fixed:
        fixed["user_id"] = "user_id"
        where = "user_id IS NOT NULL"
    if "reverses_id" in fixed:
        fixed["reverses_id"] = "(SELECT min(id::text)::uuid FROM ledger_entry)"
    if "request_key" in fixed:
        fixed["request_key"] = "(SELECT '00000000-0000-7000-8000-000000000001'::uuid)"
    assignments = ", ".join([*(f"{column} = {value}" for column, value in fixed.items()), *extra])
    others = _free_the_other_keys(table, name, columns)
    try:
        with transaction.atomic():
            _try_twice(table, ", ".join(part for part in (assignments, others) if part), where)
    except IntegrityError as error:
        refusing = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
        return "" if refusing == name else f"{name}: refused by {refusing}"
    return f"{name}: not refused"


def _try_twice(table: str, assignments: str, where: str) -> None:
    if table == "schedule_visit" and "external_id" in assignments:
        # A copy would meet the key of appointment and client first; two rows that stand are given the same id instead.
        with connection.cursor() as cursor:
            cursor.execute("UPDATE schedule_visit SET external_id = 'E1'")
        return
    for _ in range(2):
        _copy(table, assignments, where)


def _making_it_apply(name: str) -> tuple[str, list[str]]:
    """(which row to copy, further assignments) for partial keys."""
    return {
        "service_one_no_show_fee": ("true", ["is_no_show_fee = true", "kind = 'non_cpt'"]),
        "service_one_late_cancel_fee": ("true", ["is_late_cancel_fee = true", "kind = 'non_cpt'"]),
        "automation_night_batch_once": ("true", [f"night_on = {_FREE_NIGHT}"]),
        "service_one_canceled_fee": ("true", ["is_canceled_fee = true", "kind = 'non_cpt'"]),
        "calendar_feed_one_live": ("revoked_at IS NULL", []),
        "logo_one_printed": ("removed_at IS NULL", []),
        "job_run_one_live": ("true", ["state = 'queued'", "subject_id = '00000000-0000-7000-8000-000000000001'"]),
        "line_one_live": ("visit_service_id IS NOT NULL AND ended_at IS NULL", []),
        "appointment_series_date_once": ("series_id IS NOT NULL", []),
        "payment_charge_once": ("charge_id IS NOT NULL", []),
        "card_refund_reference_once": ("true", ["reference = 'R1'"]),
        "staff_email_once": ("email <> ''", []),
        "estimate_superseded_once": ("supersedes_id IS NOT NULL", []),
    }.get(name, ("true", []))


#: What a CHECK wants beside a foreign key's column.
_BESIDE = {
    "automation_leftout_invoice_id_fk": {"visit_id": "NULL"},
    "payments_payment_payer_id_fk": {"client_id": "NULL", "visit_id": "NULL", "method": "'eft'"},
    "mail_message_client_id_fk": dict.fromkeys(("client_id", "recipient_id"), "'00000000-0000-7000-8000-000000000001'"),
    "payments_payment_charge_id_fk": {"method": "'card'"},
    "schedule_appointment_series_id_fk": {"occurrence_on": "service_on", "apart_at": "NULL"},
}
#: What keeps a table's unique keys out of the way of another attempt: {table: {column: a free value}}.
_FREED: dict[str, dict[str, str]] = {
    "schedule_appointment": {"series_id": "NULL", "occurrence_on": "NULL", "apart_at": "NULL"},
    "automation_automationplan": {"version": "1000 + (random() * 1000000)::int"},
    "automation_night": {"night_on": _FREE_NIGHT, "batch_id": "NULL"},
    "schedule_calendarfeed": {
        "revoked_at": "now()",
        "token_hash": "encode(sha256(gen_random_uuid()::text::bytea), 'hex')",
    },
    "services_servicetype": {"code": "left(gen_random_uuid()::text, 8)"},
    "clients_payer": {"name": "gen_random_uuid()::text"},
    "practices_location": {"name": "gen_random_uuid()::text"},
    "staff_staffmember": {"email": "''", "user_id": "NULL"},
    "invoicing_invoice": {"number": "1000 + (random() * 1000000)::int", "request_key": "NULL"},
    "invoicing_invoiceline": {"visit_service_id": "NULL"},
    "payments_payment": {"request_key": "gen_random_uuid()", "charge_id": "NULL"},
    "staff_invitation": {"token_hash": "gen_random_uuid()::text"},
    "staff_cptlicense": {"year": "2100"},
    "jobs_jobrun": {"subject_id": "gen_random_uuid()"},
    "cards_charge": {"run_id": "(SELECT id FROM cards_chargerun WHERE created_by_name = 'x')"},
    "cards_storedcard": {"setup_id": "(SELECT id FROM cards_cardsetup WHERE started_by_name = 'x')"},
    "cards_cardsetup": {"reference": "gen_random_uuid()::text"},
    "cards_processormessage": {"message_ref": "gen_random_uuid()::text"},
    "claims_claimline": {"left_at": "now()"},
    "mailings_mailingitem": {"client_id": "(SELECT id FROM clients_client ORDER BY id DESC LIMIT 1)", "position": "99"},
    "mailings_mailingfile": {"removed_at": "now()"},
    "mail_message": {"run_id": "gen_random_uuid()"},
    "documents_logo": {"removed_at": "now()"},
    "documents_estimate": {"supersedes_id": "NULL"},
    "documents_estimateitem": {"position": "99"},
    "documents_madedocument": {"made_in": "gen_random_uuid()"},
    "services_payerrate": {"starts_on": "'2020-01-01'"},
    "services_payerrule": {"starts_on": "'2020-01-01'"},
    "services_incomestep": {"income_from_cents": "(random() * 1000000)::int"},
    "services_incomescale": {"starts_on": "'2020-01-01'"},
}


def _free_the_other_keys(table: str, name: str, key_columns: str) -> str:
    freed = _FREED.get(table, {})
    return ", ".join(f"{column} = {value}" for column, value in freed.items() if column not in key_columns)


@pytest.mark.parametrize(("name", "statement"), FORBIDDEN_SHARED.items())
def test_checks_of_shared_tables_refuse(world: World, name: str, statement: str) -> None:
    def attempt() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    assert _refused_by(name, attempt) == ""


def test_what_is_not_granted_is_refused(world: World) -> None:
    """For each tenant table: UPDATE of any column not granted, DELETE where not granted, TRUNCATE never."""
    allowed = []
    for table in _tenant_tables():
        for (column,) in _rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
            "AND NOT has_column_privilege(%s, attname, 'UPDATE')", table, table,
        ):  # fmt: skip
            allowed += _granted(f'UPDATE "{table}" SET "{column}" = "{column}"')
        if not _rows("SELECT has_table_privilege(%s, 'DELETE')", table)[0][0]:
            allowed += _granted(f'DELETE FROM "{table}"')
        allowed += _granted(f'TRUNCATE "{table}"')
    assert allowed == []


def test_facts_are_append_only(db: None) -> None:
    writable = {
        table
        for table in _tenant_tables()
        if _rows("SELECT has_any_column_privilege(%s, 'UPDATE') OR has_table_privilege(%s, 'DELETE')", table, table)
        == [(True,)]
    }
    assert writable.isdisjoint(APPEND_ONLY)
    assert writable.union(APPEND_ONLY) == set(_tenant_tables()), "a new table is neither in APPEND_ONLY nor may it move"


def test_lines_move_only_their_end_and_open_amounts(db: None) -> None:
    granted = _rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'invoicing_invoiceline'::regclass AND attnum > 0 "
        "AND has_column_privilege('invoicing_invoiceline', attname, 'UPDATE') ORDER BY 1"
    )
    assert [name for (name,) in granted] == ["client_open_cents", "ended_at", "insurance_open_cents"]


def test_every_tenant_table_has_its_key_row_security_and_no_trigger_of_ours(db: None) -> None:
    for table in _tenant_tables():
        (row_security, forced) = _rows(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", table
        )[0]
        assert row_security and not forced, table
        policies = _rows(
            "SELECT polcmd, pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = %s::regclass", table
        )
        assert len(policies) == 1 and policies[0][0] == "*" and "app.practice_id" in policies[0][1], table
        key = _rows(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'p' AND conrelid = %s::regclass", table
        )
        assert key == [("PRIMARY KEY (practice_id, id)",)], table
        assert not _rows("SELECT 1 FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", table), table
    assert len(_tenant_tables()) > 25


def _granted(statement: str) -> list[str]:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except ProgrammingError as error:
        return [] if "permission denied" in str(error) else [f"{statement}: {error}"]
    return [statement]
