"""One server and one browser for all journeys; a window of their own for each person in each journey."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, StorageState, expect, sync_playwright

from tests.browser_choice import LAUNCH_ARGUMENTS, find_browser

from .server import Server, running_server
from .visitor import DESK, Visitor, sign_in, visitor_in

expect.set_options(timeout=45_000)  # what the worker makes is waited for, on a busy machine too

#: Signs somebody of Alder Clinic (or Charlie of Birch Practice) in and opens their window.
Enter = Callable[..., Visitor]


# Both end with the journeys, not with the session: while the browser is driven, an event loop runs in this thread, and
# Django refuses to be used beside one.
@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("journeys")) as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    program = find_browser()
    if program is None:
        pytest.fail(
            "No browser was found, so the journeys were not run. Install Chromium or Chrome, or set CHROMIUM to one; "
            "`make test BROWSER=none` leaves them out on purpose."
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=LAUNCH_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def signed_in() -> dict[str, StorageState]:
    """Who has signed in already: nobody types the password for every journey."""
    return {}


@pytest.fixture
def enter(server: Server, browser: Browser, signed_in: dict[str, StorageState]) -> Iterator[Enter]:
    visitors: list[Visitor] = []

    def open_window(name: str = "", *, scripts: bool = True) -> Visitor:
        context = browser.new_context(
            viewport=DESK,  # type: ignore[arg-type]
            color_scheme="light",
            reduced_motion="reduce",  # nothing fades while it is looked at
            storage_state=signed_in.get(name),
            java_script_enabled=scripts,
        )
        visitor = visitor_in(server, context)
        visitors.append(visitor)
        if name and name not in signed_in:
            sign_in(visitor, f"{name}@{'birch' if name == 'charlie' else 'alder'}.example")
            signed_in[name] = context.storage_state()
        return visitor

    yield open_window
    faults = [fault for visitor in visitors for fault in visitor.faults]
    for visitor in visitors:
        visitor.context.close()
    assert not faults, "\n".join(["while this journey was made:", *faults])
