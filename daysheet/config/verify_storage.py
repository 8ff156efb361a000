"""What `daysheet verify` asks of the database itself: what the application's role may do, row security, constraints.

What must be there is read from the models, so that a new table is asked about without a change here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps

from .verify_checks import Check

#: PostgreSQL cuts longer names.
_LONGEST_NAME = 63
#: Tables of facts: nothing of them is ever changed or removed (a test compares this list with the grants). And of some
#: tables the only columns that may move.
APPEND_ONLY = (
    "ledger_entry", "ledger_closedday", "ledger_moneyrequest", "audit_auditevent", "audit_auditseal",
    "audit_recordview", "invoicing_invoice",
    "invoicing_invoicevoid", "invoicing_batchproblem", "payments_paymentreversal", "clients_billingnote",
    "clients_billingnotetext", "clients_clientincome", "imports_importedfile", "staff_licenserenewalrun",
    "config_verification", "cards_cardsetup", "cards_charge", "cards_chargestep", "cards_chargedecision",
    "cards_cardrefund", "cards_cardrefundstep", "cards_cardrefunddecision", "cards_dispute", "cards_disputeend",
    "cards_processormessage",
    "documents_madedocument", "mail_deliverystep", "schedule_series", "automation_automationplan",
    "automation_summaryrecipient", "automation_leftout", "documents_estimate", "documents_estimateitem",
    "documents_estimaterequest",
)  # fmt: skip
_MOVING_COLUMNS = {
    "invoicing_invoiceline": ("ended_at", "client_open_cents", "insurance_open_cents"),
    "payments_payment": ("unapplied_cents", "method", "received_on", "number", "notes"),
}


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


_FACTS = _quoted((*APPEND_ONLY, *_MOVING_COLUMNS))
_MAY_MOVE = " OR ".join(
    f"(c.relname = '{table}' AND a.attname IN ({_quoted(columns)}))" for table, columns in _MOVING_COLUMNS.items()
)
GRANTS = Check(
    "facts can be added and read, never changed or removed",
    f"""
    SELECT current_user || ' may change ' || c.relname || '.' || a.attname AS difference
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relname IN ({_FACTS}) AND c.relkind IN ('r', 'p')
      AND NOT ({_MAY_MOVE}) AND has_column_privilege(c.oid, a.attnum, 'UPDATE')
    UNION ALL
    SELECT current_user || ' may ' || p.privilege || ' ' || c.relname
    FROM pg_class c, (VALUES ('DELETE'), ('TRUNCATE')) p (privilege)
    WHERE c.relname IN ({_FACTS}) AND c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, p.privilege)
    UNION ALL
    SELECT current_user || ' may not ' || p.privilege || ' ' || c.relname
    FROM pg_class c, (VALUES ('SELECT'), ('INSERT')) p (privilege)
    WHERE c.relname IN ({_FACTS}) AND c.relkind IN ('r', 'p') AND NOT has_table_privilege(c.oid, p.privilege)
    UNION ALL
    SELECT current_user || ' owns ' || c.relname FROM pg_class c
    WHERE c.relname IN ({_FACTS}) AND c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'MEMBER')""",
)

ROW_SECURITY = Check(
    "row security keeps every practice's rows to itself",
    """
    SELECT 'the table ' || t.name || ' is missing' AS difference FROM unnest(%(tables)s::text[]) t (name)
    WHERE to_regclass(t.name) IS NULL
    UNION ALL
    SELECT c.relname || ' has no row security' FROM pg_class c
    WHERE c.relname = ANY(%(tables)s) AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
    UNION ALL
    SELECT c.relname || ' has not exactly the one policy that names the practice' FROM pg_class c
    WHERE c.relname = ANY(%(tables)s) AND c.relkind IN ('r', 'p') AND ARRAY[true] IS DISTINCT FROM (
        SELECT array_agg(
            pg_get_expr(p.polqual, p.polrelid) LIKE '%%practice_id = %%app.practice_id%%'
            AND pg_get_expr(p.polwithcheck, p.polrelid) LIKE '%%practice_id = %%app.practice_id%%' AND p.polpermissive
        ) FROM pg_policy p WHERE p.polrelid = c.oid)
    UNION ALL
    SELECT rolname || ' bypasses row security' FROM pg_roles
    WHERE rolname = current_user AND (rolsuper OR rolbypassrls)""",
)

CONSTRAINTS = Check(
    "the database refuses what it must: keys, checks and unique indexes stand",
    """
    SELECT 'the constraint ' || w.name || ' of ' || w.tablename || ' is missing' AS difference
    FROM unnest(%(constrained)s::text[], %(constraints)s::text[]) w (tablename, name)
    WHERE NOT EXISTS (
        SELECT FROM pg_constraint k WHERE k.conname = w.name AND k.conrelid = to_regclass(w.tablename)
            AND k.convalidated
    ) AND NOT EXISTS (
        SELECT FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
        WHERE i.relname = w.name AND x.indrelid = to_regclass(w.tablename) AND x.indisunique AND x.indisvalid)""",
)

STORAGE_CHECKS = (GRANTS, ROW_SECURITY, CONSTRAINTS)


def storage_parameters() -> dict[str, Any]:
    """What the statements above are given: tables of practices, and the constraints that each must have."""
    wanted = list(_wanted_constraints())
    return {
        "tables": sorted(model._meta.db_table for model in _tenant_models()),
        "constrained": [table for table, _ in wanted],
        "constraints": [name for _, name in wanted],
    }


def _tenant_models() -> Iterator[Any]:
    return (model for model in apps.get_models() if getattr(model, "is_tenant", False))


#: References that a lower slice keeps as bare ids; the keys are made by the slices above.
_BARE_IDS = {"ledger_entry": ("line_id", "reverses_id", "client_id", "coverage_id", "payment_id")}


def _wanted_constraints() -> Iterator[tuple[str, str]]:
    """The key, what the models declare, and a foreign key for each reference."""
    for table, columns in _BARE_IDS.items():
        yield from ((table, f"{table}_{column}_fk") for column in columns)
    for model in _tenant_models():
        table = model._meta.db_table
        yield table, f"{table}_pkey"
        for constraint in model._meta.constraints:
            yield table, constraint.name
        for field in model._meta.local_fields:
            if field.remote_field:
                yield table, f"{table}_{field.column}_fk"[:_LONGEST_NAME]
