"""Make this clone ready to run: `bootstrap.py STEP...`, with the steps run, dev, assets and browser.

Needs nothing but a Python; each step remembers what it was made from, so that a second run needs no network. Kept in
the syntax of Python 3.8, because an older system Python may start it to find a newer one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
OLDEST_PYTHON = 11
NEWEST_PYTHON = 14  # the newest for which every locked package has a built wheel


def main(steps: list[str]) -> None:
    os.chdir(ROOT)
    for step in steps:
        if step in ("run", "dev"):
            install(step)
        elif step == "assets":
            run_tool("build_assets.py")
        elif step == "browser":
            ensure_browser()
        else:
            stop(f"bootstrap.py knows no step {step!r}; it knows run, dev, assets and browser.")


def install(which: str) -> None:
    """Install the locked packages into .venv, unless they are there already."""
    if not venv_works():
        make_venv()
    if is_installed(which) or (which == "run" and is_installed("dev")):
        return
    print(f"Installing the Python packages of requirements/{which}.txt (a minute or two) ...", flush=True)
    pip = [str(VENV_PYTHON), "-m", "pip", "install", "-qq", "--no-input"]
    pip += ["--disable-pip-version-check", "--root-user-action", "ignore"]
    if not succeeds([*pip, "--require-hashes", "-r", f"requirements/{which}.txt"]):
        stop(
            f"The packages of requirements/{which}.txt could not be installed; the lines above say why. Check that "
            "this machine reaches a Python package index, then run the same command again. Nothing else was changed."
        )
    stamp(which).write_text(fingerprint(which))


def is_installed(which: str) -> bool:
    return stamp(which).is_file() and stamp(which).read_text() == fingerprint(which)


def stamp(which: str) -> Path:
    return VENV / f"installed-{which}.sha256"


def fingerprint(which: str) -> str:
    return hashlib.sha256((ROOT / "requirements" / f"{which}.txt").read_bytes()).hexdigest()


def venv_works() -> bool:
    return VENV_PYTHON.exists() and python_minor(str(VENV_PYTHON)) >= OLDEST_PYTHON


def make_venv() -> None:
    python = newest_python()
    shutil.rmtree(VENV, ignore_errors=True)
    print(f"Making .venv with {python} ...", flush=True)
    if not succeeds([python, "-m", "venv", str(VENV)]):
        shutil.rmtree(VENV, ignore_errors=True)
        stop(
            f"{python} could not make a virtual environment; the lines above say why. On Debian and Ubuntu the part it "
            "needs is a package of its own: apt-get install python3-venv. Then run the same command again."
        )


def newest_python() -> str:
    """The newest Python that works here, among those the locked packages are built for."""
    chosen = os.environ.get("DAYSHEET_PYTHON")
    names = [chosen] if chosen else [f"python3.{minor}" for minor in range(NEWEST_PYTHON, OLDEST_PYTHON - 1, -1)]
    usable = [name for name in (*names, sys.executable) if name and python_minor(name) >= OLDEST_PYTHON]
    if not usable:
        stop(
            f"Daysheet needs Python 3.{OLDEST_PYTHON} or newer, and {sys.executable} is {sys.version.split()[0]}. "
            f"Install one (Debian 12, Ubuntu 24.04 and newer systems have it as python3), or set DAYSHEET_PYTHON to it."
        )
    # One that lacks venv (a package of its own on some systems) is passed over for one that has it.
    return next((name for name in usable if can_make_venvs(name)), usable[0])


def python_minor(name: str) -> int:
    """Ask by running it: a name on the PATH may be a version manager's shim with nothing behind it."""
    question = "import sys; print(sys.version_info[1] if sys.version_info[0] == 3 else 0)"
    try:
        return int(subprocess.check_output([name, "-c", question], stderr=subprocess.DEVNULL))
    except (OSError, ValueError, subprocess.CalledProcessError):
        return 0


def can_make_venvs(name: str) -> bool:
    return succeeds([name, "-c", "import venv, ensurepip"], stderr=subprocess.DEVNULL)


def ensure_browser() -> None:
    if os.environ.get("BROWSER") == "none":
        print("BROWSER=none: the tests marked browser (tests/journeys) are left out, as asked.", flush=True)
        return
    run_tool("browser.py")


def run_tool(name: str) -> None:
    if not succeeds([str(VENV_PYTHON), str(ROOT / "tools" / name)]):
        # The tool has said why.
        raise SystemExit(1)


def succeeds(command: list[str], stderr: int | None = None) -> bool:
    return subprocess.run(command, stderr=stderr, check=False).returncode == 0


def stop(message: str) -> None:
    raise SystemExit(f"\n{message}")


if __name__ == "__main__":
    main(sys.argv[1:])
