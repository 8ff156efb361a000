"""What a review would have to look for in every change, looked for by machine. Exceptions stand here with their reason,
and one that is no longer needed fails like a new offence."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ROOT / "daysheet"

MOST_LINES = 400
#: Files that are longer.
LONG = {
    "tests/architecture/test_constraints.py": "a table: one attempted violation for each constraint and grant",
    "daysheet/web/assets/app.css": "one cascade: later rules override earlier ones, which two files would hide",
}

#: Slices in which an amount may pass through a line. Cents are whole; a float loses them.
MONEY = (
    "kit/money.py",
    "ledger",
    "clients",
    "services",
    "schedule",
    "invoicing",
    "payments",
    "cards",
    "imports",
    "reports",
    "documents",
    "claims",
    "automation",
    "x12",
)
FLOATS = {
    "daysheet/imports/sheets.py": "a number cell of a spreadsheet is one; it becomes text before anything reads it",
    "daysheet/imports/demo/plan.py": "chances of the demo's dice",
    "daysheet/invoicing/batches.py": "seconds to wait for a lock",
    "daysheet/automation/claiming.py": "seconds to wait for a lock",
    "daysheet/documents/colours.py": "contrast of colours",
    "daysheet/cards/simulator/core.py": "seconds of a delivery's delay",
    "daysheet/cards/simulator/server.py": "seconds of a delivery's delay",
}

#: Who may ask what time it is: the ways in. Everybody below is given `actor.now` or `now`.
CLOCKS = {
    "daysheet/kit/dates.py": "utc_now() itself",
    "daysheet/config/commands.py": "commands begin here",
    "daysheet/config/verify.py": "a command begins here",
    "daysheet/imports/commands.py": "a command begins here",
    "daysheet/operations/metrics.py": "a request of no practice begins here",
    "daysheet/imports/demo/load.py": "a command begins here",
    "daysheet/*/jobs.py": "jobs begin here",
    "daysheet/staff/middleware.py": "requests of a practice begin here",
    "daysheet/staff/guarding.py": "a session's minutes are counted before there is an actor",
    "daysheet/staff/entrance.py": "the first-run page has no actor yet",
    "daysheet/staff/views/joining.py": "an invited person is no actor yet",
    "daysheet/schedule/views/feed.py": "a calendar application that reads a feed is no actor",
    "daysheet/cards/webhooks.py": "a message of a card processor begins here; it has no actor",
    "daysheet/cards/simulator/*.py": "another company's clock, played by us",
    "daysheet/database/server.py": "names a folder after the moment it was put aside",
}
_CLOCK = re.compile(
    r"\butc_now\(|\bdatetime\.(?:now|today|utcnow)\(|\bdate\.today\(|\btimezone\.(?:now\(|localdate\(|localtime\(\))|"
    r"\blocaldate\(|\btime\.(?:time|localtime|gmtime|strftime|ctime)\("
)


def test_no_file_is_longer_than_a_screenful_of_screens() -> None:
    """Migrations are what Django wrote, and are never edited."""
    long = {name for name, text in _files("py", "html", "css", "js") if text.count("\n") > MOST_LINES}
    assert long == set(LONG)


def test_no_amount_becomes_a_float() -> None:
    assert {name for name, text in _files("py", folder=CODE) if _is_of_money(name) and _has_float(text)} == set(FLOATS)


def test_only_the_ways_in_read_the_clock() -> None:
    found = {name for name, text in _files("py", folder=CODE) if _CLOCK.search(_without_words(text))}
    assert not [name for name in found if not any(fnmatch(name, allowed) for allowed in CLOCKS)]
    assert not [allowed for allowed in CLOCKS if not any(fnmatch(name, allowed) for name in found)], "no longer needed"


def test_every_rules_module_is_kept_free_of_django() -> None:
    """import-linter forbids it for the modules that its contract lists: a new one must be listed."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = (contract for contract in contracts if contract.get("forbidden_modules") == ["django"])
    rules = [path for path in CODE.rglob("rules*") if path.name == "rules.py" or (path / "__init__.py").exists()]
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in rules}
    assert modules | {"daysheet.kit"} | _says_no_django() == set(contract["source_modules"])


@pytest.mark.parametrize(
    ("looks", "code"),
    [
        (lambda text: _has_float(text), "x = float(cents)"),
        (lambda text: _has_float(text), "amount = models.FloatField()"),
        (lambda text: _has_float(text), "share = cents * 0.5"),
        (lambda text: _has_float(text), "share = cents / parts"),
        (lambda text: _has_float(text), "def share() -> float: ..."),
        (lambda text: _has_float(text), "sql = 'SELECT amount_cents::double precision'"),
        (lambda text: _CLOCK.search(text) is not None, "now = datetime.now()"),
        (lambda text: _CLOCK.search(text) is not None, "today = date.today()"),
        (lambda text: _CLOCK.search(text) is not None, "day = timezone.localdate()"),
    ],
)
def test_each_guard_finds_what_it_guards_against(looks: Callable[[str], bool], code: str) -> None:
    assert looks(code)
    assert not looks("folder = home / 'secret-key'\ncents = total // 2\nnow = actor.now\n# 0.5 of datetime.now ()")


def _files(*endings: str, folder: Path | None = None) -> Iterator[tuple[str, str]]:
    """(path from the root, text) of our code: no migrations, nothing built; with a folder only its code, no tests."""
    for place in [folder] if folder else [ROOT / name for name in ("daysheet", "tests", "tools", "bench")]:
        for path in sorted(place.rglob("*")):
            parts = path.relative_to(ROOT).parts
            if path.suffix[1:] not in endings or {"migrations", "built", "__pycache__", "node_modules"} & set(parts):
                continue
            if folder is None or "tests" not in parts:
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def _is_of_money(name: str) -> bool:
    return any(name.startswith(f"daysheet/{place}") for place in MONEY)


def _has_float(text: str) -> bool:
    return any(_makes_float(node) for node in ast.walk(ast.parse(text)))


def _makes_float(node: ast.AST) -> bool:
    """A float by name, by literal, by division, or in SQL. `folder / "name"` joins a path."""
    if isinstance(node, ast.Name | ast.Attribute):
        return (node.id if isinstance(node, ast.Name) else node.attr) in {"float", "FloatField"}
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float) or bool(re.search(r"::\s*(?:float|double|real)\b", str(node.value)))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return not _is_path(node)
    return False


def _is_path(node: ast.expr) -> bool:
    """Whether one side of a chain of slashes is text, or a name that only paths have."""
    if isinstance(node, ast.BinOp):
        return _is_path(node.left) or _is_path(node.right)
    if isinstance(node, ast.Constant | ast.JoinedStr):
        return isinstance(node, ast.JoinedStr) or isinstance(node.value, str)
    name = ast.unparse(node)
    return "folder" in name or "Path(" in name or "path" in name


def _without_words(text: str) -> str:
    """Without comments and text, in which a clock may be spoken of."""
    return re.sub(r'"""(?:.|\n)*?"""|#.*', "", text)


def _says_no_django() -> set[str]:
    """Modules that are no rules.py and promise the same in their first words."""
    found = set()
    for name, text in _files("py", folder=CODE):
        words = ast.get_docstring(ast.parse(text)) or ""
        if "No Django" in words or "No database, no clock" in words:
            found.add(name.removesuffix(".py").replace("/", "."))
    return {module for module in found if not module.endswith(".rules")}
