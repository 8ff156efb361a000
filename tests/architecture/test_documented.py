"""docs/configuration.md names every environment variable, command, option and setting of the code, and nothing else."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

from daysheet.config import verify
from daysheet.config.cli import command_parser
from daysheet.config.failures import ExitCode
from daysheet.imports import commands as imports
from daysheet.staff.organization.forms import PracticeForm

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "configuration.md"
#: Variables of the operating system that are passed on and mean nothing of ours.
NOT_OURS = {"PATH"}


def test_every_environment_variable_is_documented_and_every_documented_one_is_read() -> None:
    read = {name for path in _python_files() for name in _variables_read(path)} | _make_variables()
    assert _first_column(_section("## Environment variables")) == read - NOT_OURS


def test_a_variable_is_read_by_its_name_so_that_this_test_sees_it() -> None:
    """Else a variable could hide behind a computed name. `environment.flag` is the one place that is given a name."""
    hidden = {str(path.relative_to(ROOT)) for path in _python_files() for name in _names_read(path) if name is None}
    assert hidden == {"daysheet/config/environment.py"}


def test_every_command_and_option_is_documented_and_every_documented_one_exists() -> None:
    section = _section("## Command line")
    documented = {
        title: _first_column(text)
        for title, text in re.findall(r"^### `daysheet ([a-z-]+)`\n(.*?)(?=^### |\Z)", section, re.M | re.S)
    }
    assert documented == {name: set(_arguments(parser)) for name, parser in _commands().items()}


def test_every_exit_code_is_documented_and_every_documented_one_exists() -> None:
    assert _first_column(_section("## Exit codes")) == {str(int(code)) for code in ExitCode}
    named = {verify.CLEAN, verify.DIFFERENT, verify.NO_SUCH_PRACTICE, imports.OK, imports.REFUSED, imports.USAGE}
    assert named <= set(ExitCode)
    assert ExitCode.NO_SUCH_PRACTICE == verify.NO_SUCH_PRACTICE


def test_every_option_has_help() -> None:
    bare = [
        f"{name} {action.option_strings or action.dest}"
        for name, parser in _commands().items()
        for action in parser._actions
        if not action.help
    ]
    assert not bare


def test_every_setting_of_a_practice_is_documented_and_every_documented_one_exists() -> None:
    rows = re.findall(r"^\| ([^|]+?) \|", _section("## Settings of a practice"), re.M)
    assert sorted(set(rows) - {"setting"}) == sorted(str(field.label) for field in PracticeForm.base_fields.values())


def test_a_hidden_variable_would_be_found(tmp_path: Path) -> None:
    """The reader is proven on each way in which a variable can be read."""
    code = tmp_path / "code.py"
    code.write_text(
        "os.environ.get('A')\nos.environ['B']\nos.getenv('C')\nflag('D')\nenvironment.flag('E')\n'F' in os.environ\n"
        "environ.setdefault('G', '')\nos.environ.pop('H')\nos.environ.get(name)\n"
    )
    assert list(_names_read(code)) == ["A", "B", "C", "D", "E", "F", "G", "H", None]


def _section(title: str) -> str:
    page = PAGE.read_text(encoding="utf-8")
    assert f"\n{title}\n" in page
    return page.split(f"\n{title}\n", 1)[1].split("\n## ", 1)[0]


def _first_column(text: str) -> set[str]:
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.M))


def _python_files() -> list[Path]:
    folders = [ROOT / name for name in ("daysheet", "tests", "tools", "bench") if (ROOT / name).is_dir()]
    return [*(path for folder in folders for path in sorted(folder.rglob("*.py"))), ROOT / "conftest.py"]


def _variables_read(path: Path) -> Iterator[str]:
    return (name for name in _names_read(path) if name is not None)


def _names_read(path: Path) -> Iterator[str | None]:
    """Each name the file looks up in the environment; None where it is not written down as text."""
    if path == Path(__file__).resolve():
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        key = _key(node)
        if key is not None:
            yield key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None


def _key(node: ast.AST) -> ast.expr | None:
    """The key of a look-up in the environment, if this is one."""
    if isinstance(node, ast.Subscript) and _is_environ(node.value):
        return node.slice
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn):
        return node.left if _is_environ(node.comparators[0]) else None
    if not isinstance(node, ast.Call) or not node.args:
        return None
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in {"flag", "getenv"}:
        return node.args[0]
    is_lookup = name in {"get", "pop", "setdefault"} and isinstance(function, ast.Attribute)
    return node.args[0] if is_lookup and _is_environ(function.value) else None  # type: ignore[attr-defined]


def _is_environ(node: ast.expr) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "environ") or getattr(node, "id", "") == "environ"


def _make_variables() -> set[str]:
    """Those that a person may give on the command line: `NAME ?=`, and names used that the file does not set."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    given = set(re.findall(r"^(?:export )?([A-Z_]+) \?=", makefile, re.M))
    fixed = set(re.findall(r"^(?:export )?([A-Z_]+) =", makefile, re.M)) | {"CURDIR"}
    return given | (set(re.findall(r"\$\(([A-Z_]+)\)", makefile)) - fixed)


def _commands() -> dict[str, argparse.ArgumentParser]:
    parser = command_parser()
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return dict(commands.choices)


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if action.dest == "help":
            continue
        yield action.option_strings[0] if action.option_strings else str(action.metavar or action.dest)
