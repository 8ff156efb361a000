"""A person at a browser: signs in, opens pages, and looks at each of them as somebody who cannot see it well would."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Response, Route, expect

from tests.people import PASSWORD

from .server import SIGN_IN, Server

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
#: WCAG 2.2 AA and axe's own good practices.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: Where screenshots of everything looked at are put, to be read by people.
SHOTS = os.environ.get("JOURNEY_SHOTS")
#: By how many milliseconds each page's scripts come late: a journey that does not wait for them is found out.
LATE_SCRIPTS = int(os.environ.get("JOURNEY_LATE_SCRIPTS", "0"))
_STICKY = "document.querySelectorAll('.selection-bar, thead th')"
#: Colours fade into each other when the theme changes, what inherits them after what it inherits from: axe would see
#: the middle of that.
SETTLED = """async () => {
    const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    do {
        await Promise.all(document.getAnimations().map((each) => each.finished.catch(() => null)));
        await frame();
    } while (document.getAnimations().length);
}"""
#: Where the browser's own viewer of PDFs comes from.
BROWSERS_OWN = ("chrome://", "chrome-extension://")
#: Chromium reports every 4xx answer of a page or part as an error; journeys check the answers themselves. HTMX reports
#: a search of its own that it gave up for the next one.
NO_FAULTS = ("Failed to load resource", "htmx:sendAbort", "htmx:afterRequest")
LOOPBACK = {"127.0.0.1", "localhost"}


@dataclass
class Visitor:
    """One signed-in (or not yet signed-in) browser window."""

    server: Server
    context: BrowserContext
    window: Page
    #: What no page may do: errors in the console (a broken content security policy is one), requests elsewhere.
    faults: list[str] = field(default_factory=list)

    @property
    def page(self) -> Page:
        """The page in the window once its scripts have run: whatever is done in it is heard by them. A click returns as
        soon as the next page begins to come, and that page's links are links before they are anything else."""
        self.window.wait_for_load_state("load")
        return self.window

    def _part(self, within: Locator | None) -> Locator | Page:
        page = self.page  # waits, for a part too
        return page if within is None else within

    def open(self, path: str) -> Response:
        """Open an address of the server; a path, or a whole address."""
        response = self.page.goto(path if path.startswith("http") else self.server.url + path)
        assert response is not None
        return response

    def status_of(self, path: str) -> int:
        """What the server answers to an address, asked with this person's session."""
        return self.context.request.get(self.server.url + path, max_redirects=0).status

    def button(self, name: str | re.Pattern[str], within: Locator | None = None) -> Locator:
        """The one button of exactly this name."""
        return self._part(within).get_by_role("button", name=name, exact=isinstance(name, str))

    def link(self, name: str | re.Pattern[str], within: Locator | None = None) -> Locator:
        """The one link of exactly this name."""
        return self._part(within).get_by_role("link", name=name, exact=isinstance(name, str))

    def row(self, text: str, within: Locator | None = None) -> Locator:
        """The table row that holds this text."""
        return self._part(within).get_by_role("row").filter(has_text=text)

    def sees(self, text: str | re.Pattern[str]) -> None:
        """The text is on the page, visible, and the page's scripts have run."""
        expect(self.page.get_by_text(text).first).to_be_visible()
        self.window.wait_for_load_state("load")  # a press of a key waits for no page: this one may have come since

    def sees_heading(self, name: str | re.Pattern[str]) -> None:
        """The page's own heading says so, and the page's scripts have run."""
        expect(self.page.get_by_role("heading", level=1, name=name)).to_be_visible()
        self.window.wait_for_load_state("load")

    def reload_until(self, there: Callable[[Page], object]) -> None:
        """Open the page anew until it shows what the server's worker makes in its own time."""
        deadline = time.monotonic() + 60
        while not there(self.page):
            assert time.monotonic() < deadline, f"not there after a minute:\n{self.server.log.read_text()}"
            self.page.wait_for_timeout(300)
            self.page.reload()

    def look(self, name: str) -> None:
        """Check the page as it stands now in both themes, on a desk and on a phone. Leaves light and the desk."""
        self._check(name, ((PHONE, ("dark", "light")), (DESK, ("dark", "light"))))

    def glance(self, name: str) -> None:
        """Half a look, for sweeps: dark on a phone, light on a desk."""
        self._check(name, ((PHONE, ("dark",)), (DESK, ("light",))))

    def _check(self, name: str, views: Sequence[tuple[dict[str, int], Sequence[str]]]) -> None:
        problems = []
        for size, themes in views:
            self.page.set_viewport_size(size)  # type: ignore[arg-type]
            for theme in themes:
                self.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                where = f"{name} ({theme}, {size['width']})"
                # What sticks to the window's edges lies over rows, and axe would measure what is left of them: look
                # where each thing lies at its own place.
                self.page.evaluate(f"{_STICKY}.forEach((each) => {{ each.style.position = 'static' }})")
                problems += [f"{where}: {problem}" for problem in axe_violations(self.page)]
                self.page.evaluate(f"{_STICKY}.forEach((each) => each.removeAttribute('style'))")
                self._keep_picture(f"{name}-{size['width']}-{theme}")
            wide = self.page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
            if wide > 0:
                problems.append(f"{name} ({size['width']}): the page is {wide} px wider than the window")
        assert not problems, "\n".join(["what axe and the window found:", *problems])

    def look_at_picture(self, name: str) -> None:
        """Keep a picture of the window as it stands, for people to look at: of something that a check would disturb."""
        if SHOTS:
            self._keep_picture(name)

    def _keep_picture(self, name: str) -> None:
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
            # What taking it leaves behind; HTMX would carry it over to a new part, past the content security policy.
            self.page.evaluate(
                "document.querySelectorAll('[style=\"\"]').forEach((each) => each.removeAttribute('style'))"
            )


def visitor_in(server: Server, context: BrowserContext) -> Visitor:
    """A new window that reaches this server only, and remembers whatever goes wrong in it."""
    visitor = Visitor(server, context, context.new_page())
    visitor.window.set_default_timeout(30_000)
    if LATE_SCRIPTS:
        _delay_scripts(visitor)

    def guard(route: Route) -> None:
        if urlsplit(route.request.url).hostname in LOOPBACK:
            return route.continue_()
        visitor.faults.append(f"a request to {route.request.url}")
        return route.abort()

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(NO_FAULTS):
            visitor.faults.append(f"console on {visitor.window.url}: {message.text}")

    context.route(lambda url: urlsplit(url).hostname not in LOOPBACK and not url.startswith(BROWSERS_OWN), guard)
    visitor.window.on("console", note)
    visitor.window.on("pageerror", lambda error: visitor.faults.append(f"script on {visitor.window.url}: {error}"))
    visitor.window.on("response", lambda answer: _note_failure(visitor, answer))
    return visitor


def _delay_scripts(visitor: Visitor) -> None:
    network = visitor.context.new_cdp_session(visitor.window)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    late = {"urlPattern": "http://*:*/*.js", "latency": LATE_SCRIPTS}
    late |= {"downloadThroughput": -1, "uploadThroughput": -1}
    network.send("Network.emulateNetworkConditionsByRule", {"offline": False, "matchedNetworkConditions": [late]})


def _note_failure(visitor: Visitor, answer: Response) -> None:
    if answer.status >= 500:
        visitor.faults.append(
            f"{answer.status} from {answer.url}; see the server's log:\n{visitor.server.log.read_text()}"
        )


def sign_in(visitor: Visitor, email: str, password: str = PASSWORD) -> None:
    """Through the sign-in page, as people do."""
    visitor.open(SIGN_IN)
    visitor.page.get_by_label("Email").fill(email)
    visitor.page.get_by_label("Password").fill(password)
    visitor.button("Sign in").click()
    visitor.page.wait_for_url(lambda url: SIGN_IN not in url)


def axe_violations(page: Page) -> list[str]:
    """What axe has against the page as it is drawn now. The script is put in by the browser itself, past the page's
    content security policy, which stays as it is."""
    page.evaluate(SETTLED)
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(AXE_SCRIPT)
    found: dict[str, Any] = page.evaluate(
        "(tags) => axe.run({runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", RULES
    )
    sentences = [_sentence(violation, node) for violation in found["violations"] for node in violation["nodes"]]
    # A row half under a bar that sticks to the window's edge is whole again after a turn of the wheel.
    return [each for each in sentences if not (each.startswith("target-size") and "partially obscured" in each)]


def _sentence(violation: dict[str, Any], node: dict[str, Any]) -> str:
    checks = [check["message"] for kind in ("any", "all", "none") for check in node[kind]]
    return f"{violation['id']}: {node['target'][0]} {node['html'][:200]} {'; '.join(checks)[:300]}"
