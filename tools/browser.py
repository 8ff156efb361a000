"""Find the browser that the journeys drive, or install one; print where it is.

CHROMIUM names one; else one installed on this machine; else Debian's package, when root; else Playwright's own
download. BROWSER=none leaves the journeys out on purpose.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_CHROME = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"


def main() -> None:
    if os.environ.get("BROWSER") == "none":
        return
    found = find_installed() or install_debian_package() or install_with_playwright()
    if not found:
        sys.exit(
            "\nNo browser for the journeys (tests/journeys, every test marked browser): they cannot be run here, so "
            "the tests as a whole count as failed. Install Chromium or Chrome, or set CHROMIUM to one, or run "
            "`make test-fast`, or say BROWSER=none to leave the journeys out on purpose."
        )
    print(found)


def find_installed() -> Path | None:
    """A browser that is already here and answers."""
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        if not answers(chosen):
            sys.exit(f"\nCHROMIUM={chosen} does not run. Set it to a Chromium or Chrome, or unset it.")
        return Path(chosen)
    return next((Path(program) for program in candidates() if answers(program)), None)


def candidates() -> Iterator[str]:
    yield from filter(None, map(shutil.which, NAMES))
    yield MAC_CHROME
    # Asked last, because asking starts Playwright's driver.
    yield from filter(None, [playwright_program()])


def install_debian_package() -> Path | None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    print("Installing Debian's chromium for the journeys ...", file=sys.stderr, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]
    packages = ["chromium", "fonts-liberation"]
    for command in ([*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", *packages]):
        subprocess.run(command, env=environment, stdout=sys.stderr, check=False)
    return find_installed()


def install_with_playwright() -> Path | None:
    print("Asking Playwright to download its Chromium ...", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], stdout=sys.stderr, check=False)
    return find_installed()


def playwright_program() -> str | None:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def answers(program: str) -> bool:
    """Ask by running it: the file of this name may be a stub that only tells how to install the real one."""
    try:
        return subprocess.run([program, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


if __name__ == "__main__":
    main()
