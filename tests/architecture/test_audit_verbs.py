"""Every verb that the code records has words in the Activity Log, and no words are left over."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from daysheet.audit.verbs import VERBS

ROOT = Path(__file__).resolve().parents[2] / "daysheet"
#: Where the verb is a variable: the file, and the verbs it may hold.
VARIABLE = {
    "clients/actions/clients.py": {"activate_client", "archive_client"},
    "imports/demo/load.py": {"demo_begun", "demo_done"},
    "schedule/series.py": {"edit_series", "cancel_appointments"},
}


def _recorded() -> Iterator[tuple[str, str | None]]:
    """(file, verb) of every `record(actor, verb, …)` and `Happening(verb, …)`; None where it is no constant."""
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if "/tests/" in name or name == "audit/actions.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            position = {"record": 1, "Happening": 0}.get(node.func.id)
            if position is not None and len(node.args) > position:
                verb = node.args[position]
                yield name, verb.value if isinstance(verb, ast.Constant) else None


def test_every_recorded_verb_has_words_and_no_words_are_stale() -> None:
    recorded = list(_recorded())
    constant = {verb for _, verb in recorded if verb is not None}
    variable = {name for name, verb in recorded if verb is None}
    assert variable == set(VARIABLE)
    assert constant | set().union(*VARIABLE.values()) == set(VERBS)
