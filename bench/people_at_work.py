"""People at their desks: each a thread with a session, who clicks, waits for the page, thinks and clicks again."""

from __future__ import annotations

import http.client
import random
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

_TIMEOUT_SECONDS = 60
_CSRF = "b" * 32
#: Who is sent there is not at work any more, and measures nothing.
_SIGN_IN = "/account/"


@dataclass(frozen=True, slots=True)
class Desk:
    """What one person works with: a session, clients to look at, and visits to bill that nobody else bills."""

    slug: str
    session: str
    today: str
    clients: Sequence[str]
    owing: Sequence[str]
    staff: Sequence[str]
    days: Sequence[str]
    visits: Sequence[str]
    words: Sequence[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """One page that somebody waited for. `turn`: of the phases of one name, which. `words`: what was wrong with it."""

    phase: str
    turn: int
    kind: str
    seconds: float
    status: int
    words: str = ""

    @property
    def is_error(self) -> bool:
        """Everything a person would have to wonder at: server errors, busy pages, refusals, lost connections, pages
        that lead elsewhere."""
        return bool(self.words) or self.status >= 400 or self.status == 0


@dataclass
class Office:
    """Everybody at work on one server."""

    address: tuple[str, int]
    desks: Sequence[Desk]
    think_seconds: float
    answers: list[Answer] = field(default_factory=list)
    phase: str = ""
    turn: int = 0
    _closed: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def open(self) -> Iterator[None]:
        """People come; at the end they finish their click and go."""
        people = [_Person(self, desk, random.Random(number)) for number, desk in enumerate(self.desks)]
        threads = [threading.Thread(target=person.work, daemon=True) for person in people]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._closed.set()
            for thread in threads:
                thread.join(_TIMEOUT_SECONDS)

    def during(self, phase: str, turn: int, seconds: float) -> None:
        """Let them work for so long. What is asked for now counts for this phase."""
        self.phase, self.turn = phase, turn
        self._closed.wait(seconds)

    def rest(self, seconds: float) -> bool:
        """Wait; True when it is time to go home."""
        return self._closed.wait(seconds)


class _Person:
    """Chooses what to do next, by how often a practice does it."""

    def __init__(self, office: Office, desk: Desk, luck: random.Random) -> None:
        self.office, self.desk, self.luck = office, desk, luck
        self.visits = list(desk.visits)
        self.connection: http.client.HTTPConnection | None = None

    def work(self) -> None:
        if self.office.rest(self.luck.uniform(0, self.office.think_seconds)):
            return
        habits: list[tuple[Callable[[], None], int]] = [
            (self.agenda, 30), (self.search, 20), (self.ledger, 25), (self.add_invoice, 15), (self.pay, 10),
        ]  # fmt: skip
        deeds, weights = zip(*habits, strict=True)
        while not self.office.rest(self.luck.uniform(0.3, 1.7) * self.office.think_seconds):
            self.luck.choices(deeds, weights)[0]()

    def agenda(self) -> None:
        """Mostly one provider's day; now and then everybody's."""
        day, staff = self.luck.choice(self.desk.days), self.luck.choice(self.desk.staff)
        self._get("agenda", f"agenda/?day={day}&staff={staff}" if self.luck.random() < 0.8 else "agenda/")

    def search(self) -> None:
        self._get("search", f"clients/search?q={quote(self.luck.choice(self.desk.words))}", part=True)

    def ledger(self) -> None:
        tab = self.luck.choice(["open", "open", "paid", "payments", "activity"])
        self._get("ledger", f"clients/{self.luck.choice(self.desk.clients)}/ledger/?tab={tab}")

    def add_invoice(self) -> None:
        if self.visits:
            self._post("add invoice", f"visits/{self.visits.pop()}/invoice/", {}, part=True)

    def pay(self) -> None:
        """Opens the form, then sends it: a dollar, applied to what is open."""
        if not self.desk.owing:
            return
        address = f"clients/{self.luck.choice(self.desk.owing)}/payments/new/"
        page = self._get("pay form", address)
        lines = re.findall(r'name="apply-([0-9a-f-]{36})"', page)
        if lines:
            facts = {"request_key": str(uuid.uuid4()), "amount": "1.00", "method": "check", f"apply-{lines[0]}": "1.00",
                     "received_on": self.desk.today}  # fmt: skip
            self._post("pay", address, facts)

    def _get(self, kind: str, address: str, *, part: bool = False) -> str:
        return self._ask(kind, "GET", address, None, part)

    def _post(self, kind: str, address: str, facts: Mapping[str, str], *, part: bool = False) -> str:
        return self._ask(kind, "POST", address, urlencode(facts), part)

    def _ask(self, kind: str, method: str, address: str, body: str | None, part: bool) -> str:
        headers = {"Cookie": f"sessionid={self.desk.session}; csrftoken={_CSRF}"}
        if body is not None:
            headers |= {"X-CSRFToken": _CSRF, "Content-Type": "application/x-www-form-urlencoded"}
        if part:
            headers["HX-Request"] = "true"
        phase, turn, began = self.office.phase, self.office.turn, time.perf_counter()
        try:
            status, leads_to, text = self._exchange(method, f"/{self.desk.slug}/{address}", body, headers)
            is_wrong = status >= 400 or (method == "GET" and status != 200) or leads_to.startswith(_SIGN_IN)
            what = f"to {leads_to}" if leads_to else _plain(text)[:200]
            words = f"{status} {method} {address.split('?')[0]}: {what}" if is_wrong else ""
        except (OSError, http.client.HTTPException) as error:
            self._hang_up()
            status, text, words = 0, "", f"{type(error).__name__} {method} {address.split('?')[0]}"
        self.office.answers.append(Answer(phase, turn, kind, time.perf_counter() - began, status, words))
        return text

    def _exchange(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> tuple[int, str, str]:
        """Status, where the answer leads to, text. On a new connection each time, as the server closes idle ones before
        the next click."""
        self.connection = http.client.HTTPConnection(*self.office.address, timeout=_TIMEOUT_SECONDS)
        self.connection.request(method, path, body, dict(headers))
        response = self.connection.getresponse()
        text = response.read().decode(errors="replace")
        self._hang_up()
        return response.status, response.headers.get("Location") or response.headers.get("HX-Redirect") or "", text

    def _hang_up(self) -> None:
        if self.connection:
            self.connection.close()
            self.connection = None


def _plain(text: str) -> str:
    """The words of a page."""
    found = re.search(r"<main.*?</main>", text, re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", found[0] if found else text).split())
