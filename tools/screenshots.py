"""Take the pictures of README and docs/screenshots from a fresh demo practice: `make screenshots`.

The demo stands on a data folder of its own, thrown away afterwards, so that pictures never show anybody's data.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from urllib.parse import urljoin

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser_choice import LAUNCH_ARGUMENTS, find_browser  # noqa: E402  (the project is not installed)

PICTURES = ROOT / "docs" / "screenshots"
START_SECONDS = 240
LARGEST_BYTES = 150_000
WINDOW = {"width": 1280, "height": 720}
COLOURS = 64


def main() -> None:
    program = find_browser()
    if program is None:
        raise SystemExit("No browser was found: install Chromium or Chrome, or set CHROMIUM to one.")
    PICTURES.mkdir(exist_ok=True)
    with demo() as (address, password), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=LAUNCH_ARGUMENTS)
        page = browser.new_page(viewport=WINDOW, color_scheme="light")  # type: ignore[arg-type]
        sign_in(page, address, "owner@demo.daysheet.example", password)
        for name, (path, prepare) in SHOTS.items():
            answer = page.goto(f"{address}/juniper/{path}")
            if answer is None or not answer.ok:
                raise SystemExit(f"{name}: there is no page at {path}")
            prepare(page)
            take(page, name)
        browser.close()


def take(page: Page, name: str) -> None:
    """One picture of the window as it stands; small enough to live in a repository."""
    path = PICTURES / f"{name}.png"
    with Image.open(BytesIO(page.screenshot())) as picture:
        picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.relative_to(ROOT)}  {size:,} bytes")
    if size > LARGEST_BYTES:
        raise SystemExit(f"{name}.png is larger than {LARGEST_BYTES:,} bytes: show less on it.")


@contextmanager
def demo() -> Iterator[tuple[str, str]]:
    """Serve the demo practice; gives its address and the password of its people."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="daysheet-screenshots-") as home:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
        environment |= {"DAYSHEET_HOME": home}
        command = [sys.executable, "-m", "daysheet"]
        log = Path(home) / "demo.log"
        with log.open("w") as output:
            server = subprocess.Popen(
                [*command, "demo", "--port", str(port)], cwd=ROOT, env=environment, stdout=output, stderr=output
            )
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(address, server, log)
            yield address, password_in(log.read_text())
        finally:
            server.terminate()
            server.wait(timeout=60)
            subprocess.run([*command, "db", "stop"], cwd=ROOT, env=environment, check=False, stdout=subprocess.DEVNULL)


def password_in(printed: str) -> str:
    found = re.search(r"all with the password (\S+)", printed)
    if found is None:
        raise SystemExit(f"The demo printed no password:\n{printed}")
    return found[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise SystemExit(f"The demo did not start:\n{log.read_text()}")
        try:
            urllib.request.urlopen(f"{address}/account/login/", timeout=5)
            return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.5)
    raise SystemExit(f"The demo did not answer within {START_SECONDS} seconds:\n{log.read_text()}")


def sign_in(page: Page, address: str, email: str, password: str) -> None:
    page.goto(f"{address}/account/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/account/login/" not in url)


def as_it_is(page: Page) -> None:
    """Nothing to do first."""


def bill_the_first_two(page: Page) -> None:
    """One click each: the button gives way to the number and Apply Payment."""
    for number in (1, 2):
        page.get_by_role("button", name="Add Invoice", exact=True).first.click()
        page.get_by_role("link", name="Apply Payment").nth(number - 1).wait_for()
    page.locator("#day-totals", has_text="2 billed").wait_for()
    page.mouse.move(0, 0)


def search(page: Page) -> None:
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_role("main").get_by_role("table").wait_for()


def ledger(page: Page) -> None:
    """The ledger of a client who pays by self, with a past to show."""
    page.get_by_role("main").get_by_role("link", name="Orchardson, Greta").first.click()
    page.get_by_role("link", name="Ledger", exact=True).click()


def all_activity(page: Page) -> None:
    ledger(page)
    page.get_by_role("link", name="All Activity").click()
    page.get_by_role("columnheader", name="Client balance").wait_for()


def new_invoice(page: Page) -> None:
    ledger(page)
    page.get_by_role("link", name="New Invoice").first.click()
    page.get_by_role("button", name="All Past").click()
    page.get_by_role("button", name="All Past ✓").wait_for()


def accept_payment(page: Page) -> None:
    ledger(page)
    page.get_by_role("link", name="Accept Payment").click()
    page.get_by_role("checkbox", name="Pay all lines").check()
    page.get_by_label("Number").fill("1184")


def statement(page: Page) -> None:
    ledger(page)
    page.get_by_role("link", name="Statement", exact=True).click()


def correction(page: Page) -> None:
    """What a write-off would do to the client's figures."""
    ledger(page)
    page.get_by_role("link", name="Write-Offs").click()
    page.get_by_role("link", name="Write off").first.click()
    page.get_by_label("Reason").fill("Agreed with the client on the phone")
    page.get_by_role("button", name="Show the effect").click()
    page.get_by_role("button", name="Yes, write off").wait_for()


def first_insurer(page: Page) -> None:
    page.get_by_role("combobox", name="Insurer").select_option(index=1)
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("button", name="Save").wait_for()


def one_provider(page: Page) -> None:
    page.get_by_label("Staff").select_option(index=2)
    page.get_by_role("button", name="Show", exact=True).click()


def what_would_it_bill(page: Page) -> None:
    page.get_by_role("link", name="What would it bill?").nth(2).click()


def a_series(page: Page) -> None:
    """The first appointment of the day that is part of one."""
    times = page.get_by_role("main").get_by_role("link", name=re.compile("^[0-9]+:[0-9]{2} [AP]M$"))
    for path in [link.get_attribute("href") for link in times.all()]:
        page.goto(urljoin(page.url, path))
        if page.get_by_role("link", name="Series", exact=True).count():
            page.get_by_role("link", name="Series", exact=True).click()
            page.get_by_role("heading", name="Series: ").wait_for()
            return


#: name of the picture → address under the practice, and what is done before it is taken.
SHOTS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "price": ("agenda/", what_would_it_bill),
    "agenda": ("agenda/", bill_the_first_two),
    "calendar": ("calendar/", one_provider),
    "series": ("agenda/", a_series),
    "new-invoice": ("billing/unbilled/", new_invoice),
    "batch-invoicing": ("billing/batch-invoicing/", search),
    "ledger": ("billing/unbilled/", all_activity),
    "accept-payment": ("billing/unbilled/", accept_payment),
    "batch-payments": ("billing/batch-payments/", first_insurer),
    "correction": ("billing/unbilled/", correction),
    "statement": ("billing/unbilled/", statement),
    "batch-statements": ("billing/batch-statements/", search),
    "estimates": ("billing/estimates/", as_it_is),
    "unbilled": ("billing/unbilled/", as_it_is),
    "day-sheet": ("reports/day-sheet/", as_it_is),
    "licenses": ("organization/licenses", as_it_is),
    "staff": ("staff", as_it_is),
    "automation": ("organization/automation/", as_it_is),
    "import": ("import/", as_it_is),
}

if __name__ == "__main__":
    main()
