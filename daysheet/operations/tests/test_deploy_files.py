"""The files in deploy/ name only commands, variables and addresses that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.urls import resolve

from daysheet.config.cli import command_parser

ROOT = Path(__file__).resolve().parents[3]
UNIT = ROOT / "deploy" / "daysheet.service"
CONTAINER = ROOT / "deploy" / "Containerfile"
GUIDE = ROOT / "docs" / "deployment.md"


def test_every_variable_is_documented() -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "configuration.md").read_text(), re.M))
    used = {
        name
        for path in (UNIT, CONTAINER, GUIDE)
        for name in re.findall(r"\b(?:DAYSHEET|DATABASE)_[A-Z_]*[A-Z]\b", path.read_text())
    }
    assert used - documented == set()
    assert {"DAYSHEET_HOME", "DAYSHEET_HTTPS", "DAYSHEET_METRICS_TOKEN"} <= used


def test_every_command_parses() -> None:
    lines = re.findall(r"-m daysheet (.+)$", UNIT.read_text(), re.M)
    lines += re.findall(r"^\s+podman run .* daysheet (serve .*)$", GUIDE.read_text(), re.M)
    words = re.search(r"^CMD (\[.*\])$", CONTAINER.read_text(), re.M)
    assert words is not None
    lines.append(" ".join(re.findall(r'"([^"]+)"', words[1])))
    assert len(lines) >= 5
    for line in lines:
        command_parser().parse_args(line.split())


def test_every_address_is_served() -> None:
    for address in re.findall(r"^\| `(/[a-z/]+)` \|", GUIDE.read_text(), re.M):
        assert resolve(address)
    assert resolve("/health/ready")
    assert "/health/ready" in CONTAINER.read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="only a machine with systemd can read its files")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    """The program's path is one of a real installation: it is put in the place of one that exists here."""
    text = UNIT.read_text().replace("/opt/daysheet/.venv/bin/python", "/bin/true").replace("/opt/daysheet", "/")
    unit = tmp_path / "daysheet.service"
    unit.write_text(re.sub(r"^(User|Group|EnvironmentFile)=.*$", "", text, flags=re.M))
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if "daysheet.service" in line]
    assert said == [], done.stderr
