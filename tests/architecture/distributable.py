"""What a table distributed by practice_id could not carry, read from the catalogue of a migrated database."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg

#: Tables that every practice refers to; on a cluster each node has a copy.
SHARED = ("practices_practice", "practices_user", "practices_membership")
#: Tables of libraries, and Daysheet's own without practice: they stay on the first node, and nothing of a practice
#: refers to them.
LOCAL = ("django_", "auth_", "account_", "mfa_", "procrastinate_", "shared_cache")

_TENANT = "c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE ALL (%(elsewhere)s)"
_PRACTICE = "(SELECT attnum FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'practice_id')"

#: Each statement names what is wrong; nothing where all is well.
QUESTIONS: Mapping[str, str] = {
    "has no practice_id that is always there": f"""
        SELECT c.relname FROM pg_class c WHERE {_TENANT} AND NOT EXISTS (
            SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'practice_id' AND a.attnotnull
            AND a.atttypid = 'bigint'::regtype)""",
    "has another primary key than (practice_id, id)": f"""
        SELECT c.relname FROM pg_class c WHERE {_TENANT} AND NOT EXISTS (
            SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p'
            AND pg_get_constraintdef(k.oid) = 'PRIMARY KEY (practice_id, id)')""",
    "has a unique key without practice_id": f"""
        SELECT c.relname || '.' || i.indexrelid::regclass FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid
        WHERE {_TENANT} AND i.indisunique AND NOT {_PRACTICE} = ANY (i.indkey)""",
    "has an exclusion constraint": f"""
        SELECT c.relname || '.' || k.conname FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid
        WHERE {_TENANT} AND k.contype = 'x'""",
    "has a foreign key that could leave the practice": f"""
        SELECT c.relname || '.' || k.conname FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid
        WHERE {_TENANT} AND k.contype = 'f' AND k.confrelid::regclass::text <> ALL (%(shared)s)
        AND (NOT {_PRACTICE} = ANY (k.conkey) OR array_position(k.conkey, {_PRACTICE}) <> array_position(k.confkey,
            (SELECT attnum FROM pg_attribute a WHERE a.attrelid = k.confrelid AND a.attname = 'practice_id'))
            OR array_position(k.conkey, {_PRACTICE}) IS NULL)""",
    "has a deferrable constraint": f"""
        SELECT c.relname || '.' || k.conname FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid
        WHERE {_TENANT} AND k.condeferrable""",
    "has a foreign key that changes rows by itself": f"""
        SELECT c.relname || '.' || k.conname FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid
        WHERE {_TENANT} AND k.contype = 'f' AND (k.confdeltype <> 'a' OR k.confupdtype <> 'a')""",
    "is referred to by a table of another kind": f"""
        SELECT k.conrelid::regclass || ' -> ' || c.relname FROM pg_class c JOIN pg_constraint k ON k.confrelid = c.oid
        JOIN pg_class o ON o.oid = k.conrelid WHERE {_TENANT} AND k.contype = 'f' AND NOT o.relrowsecurity""",
    "has a trigger": f"""
        SELECT c.relname || '.' || t.tgname FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid
        WHERE {_TENANT} AND NOT t.tgisinternal""",
    "counts by a sequence": f"""
        SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE {_TENANT} AND (a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE '%%nextval%%')""",
    "has a rule": f"SELECT c.relname FROM pg_class c WHERE {_TENANT} AND c.relhasrules",
    "inherits, or is a part of another": f"""
        SELECT c.relname FROM pg_class c WHERE {_TENANT} AND EXISTS (
            SELECT FROM pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent))""",
    "would not survive a crash": f"SELECT c.relname FROM pg_class c WHERE {_TENANT} AND c.relpersistence <> 'p'",
    "has no row security, or forces it upon the owner": f"""
        SELECT c.relname FROM pg_class c WHERE {_TENANT} AND (NOT c.relrowsecurity OR c.relforcerowsecurity
            OR NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))""",
    "is a view": """
        SELECT c.relname FROM pg_class c WHERE c.relkind IN ('v', 'm') AND c.relnamespace = 'public'::regnamespace""",
}


def problems(connection: psycopg.Connection[tuple[str, ...]]) -> list[str]:
    """`clients_client has a trigger` …; nothing where every table could be distributed."""
    known = {"elsewhere": [*SHARED, *(f"{prefix}%" for prefix in LOCAL)], "shared": list(SHARED)}
    return [f"{row[0]}: {what}" for what, question in QUESTIONS.items() for row in connection.execute(question, known)]
