"""docs/security.md names where each threat is tried: every test that it names exists, and every test of doors is
named."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`((?:tests|daysheet)/[\w/]+\.py)::(\w+)`", PAGE))


def _tests_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def missing(named: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Tests that are named and are not there."""
    return sorted((path, name) for path, name in named if not (ROOT / path).is_file() or name not in _tests_of(path))


def test_every_test_that_is_named_exists() -> None:
    assert len(NAMED) > 50
    assert missing(NAMED) == []
    assert missing({("tests/architecture/test_threats.py", "test_nothing"), ("tests/none.py", "test_x")}) != []


def test_every_threat_names_a_test() -> None:
    in_table, unnamed = False, []
    for line in PAGE.splitlines():
        in_table = line.startswith("| threat") or (in_table and line.startswith("|"))
        if in_table and not line.startswith(("| threat", "|---")) and "::test_" not in line:
            unnamed.append(line)
    assert unnamed == []


def test_every_seeded_hole_is_named() -> None:
    path = "tests/architecture/test_seeded_holes.py"
    assert {(path, name) for name in _tests_of(path)} <= NAMED
