"""Sends requests as somebody, takes each back, and keeps what must not be."""

from __future__ import annotations

import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.signals import got_request_exception
from django.db import transaction

from daysheet.config.verify import differences_of
from tests.architecture.methods import OUTSIDE
from tests.architecture.world import World
from tests.people import NOW

from .digests import Digester, Digests, changed
from .hostile import body_of
from .roles import Role, owner_of
from .targets import Forms, Target, all_targets, watching
from .visitors import Outcome, Visitor, outcome_of, tells_error

#: What a request may end in. 503 is a lock that lasts, which nobody holds here.
RIGHT = {200, 204, 301, 302, 303, 304, 400, 403, 404, 405, 409, 410, 413, 422, 429}
MOST_SECONDS = 15
#: Tables that `verify` recomputes from each other.
_BOOKS = ("ledger_", "invoicing_", "payments_", "cards_", "claims_", "schedule_", "documents_", "mailings_")
#: The first write of each address and then one in so many: reading the books takes as long as five requests.
_BOOKS_EVERY = 5
#: The client to whom nearly everything of the world belongs.
_NAMED = b"Ruiz"


class Fuzzer:
    """Somebody (the owner, where none is named) at these addresses. `found`: the first of each kind of wrong, with the
    request that showed it; `answers`: how often which outcome, by address; `last`: the last answer."""

    last: Any

    def __init__(self, world: World, only: Collection[str] = (), role: Role | None = None) -> None:
        self.world = world
        self.role = role or owner_of(world)
        self.visitor = Visitor(self.role.person)
        self.targets = [each for each in all_targets(world) if not only or each.name in only]
        self.ids = [str(value) for value in world.ids.values()]
        self.begin()
        self._digester = Digester()
        self._at_first = self._digester.all()
        self._agreed = set(differences_of(world.cast.alder, NOW))

    def begin(self) -> None:
        """Forget what was found and answered; keep what was learnt."""
        self.found: dict[str, str] = {}
        self.answers: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
        self._wrote: Counter[str] = Counter()
        self.sent = self.books_read = 0

    def learn(self) -> None:
        """What forms send and views ask for. Each page is opened, and its form is sent; where the answer is a page with
        a form again (a look at what will happen, a list to tick), that is sent as well."""
        forms = Forms()
        for target in self.targets:
            if target.method == "GET":
                forms.read(self._try(target), target.url)
        for target in self.targets:
            target.take(forms)
        for target in self.targets:
            for _ in range(2 if target.method == "POST" else 0):
                again = Forms()
                again.read(self._try(target), target.url)
                target.take(again)

    def send(self, name: str, method: str, url: str, *, is_part: bool = False, **body: Any) -> Outcome:
        """One request; nothing of it stays."""
        with transaction.atomic():
            outcome = self.send_and_keep(name, method, url, is_part=is_part, **body)
            transaction.set_rollback(True)
        return outcome

    def send_and_keep(self, name: str, method: str, url: str, *, is_part: bool = False, **body: Any) -> Outcome:
        """One request on top of those before; the caller takes all of them back."""
        self.sent += 1
        with _broken() as broken:
            before, began = self._state(), time.perf_counter()
            answer = self.visitor.ask(method, url, is_part=is_part, **body)
            took, self.last = time.perf_counter() - began, answer
            outcome = outcome_of(answer)
            self.answers[f"{method} {name}"][outcome] += 1
            slow = ["took too long"] if took > MOST_SECONDS else []
            for kind in [*broken, *slow, *self._wrong(name, answer, outcome, before), *self._seen(answer, url, body)]:
                self.note(f"{method} {name}: {kind}", f"{url[:300]} {str(body)[:1200]}")
        return outcome

    def note(self, kind: str, request: str) -> None:
        """Keep the first request of each kind."""
        self.found.setdefault(kind, request)

    def problems(self) -> list[str]:
        """What was found, one thing a line, with the request that showed it; and what is not as it was at first."""
        left = changed(self._at_first, self._digester.all())
        books = set(differences_of(self.world.cast.alder, NOW)) - self._agreed
        return [
            *(f"{kind}\n    {request}" for kind, request in sorted(self.found.items())),
            *(f"something stayed in {table}" for table in left),
            *(f"the books at the end: {each}" for each in books),
        ]

    def never_heard(self) -> list[str]:
        """Forms inside the practice that no view has taken, nor refused in words: nothing was tried there at all."""
        posts = [each.name for each in self.targets if each.method == "POST" and each.name not in OUTSIDE]
        heard = {Outcome.TAKEN, Outcome.IN_WORDS}
        return [name for name in posts if not heard & set(self.answers[f"POST {name}"])]

    def taken(self) -> set[str]:
        """Forms that were taken at least once."""
        return {name for name, outcomes in self.answers.items() if name.startswith("POST") and outcomes[Outcome.TAKEN]}

    def _try(self, target: Target) -> Any:
        """As its own page sends it, noting what is asked for."""
        body = {} if target.method == "GET" else body_of("form", target.sent)
        with transaction.atomic(), watching(target.asked):
            answer = self.visitor.ask(target.method, target.url, **body)
            transaction.set_rollback(True)
        return answer

    def _state(self) -> tuple[Digests, Digests]:
        others = self.role.others
        return self._digester.all(), self._digester.of_clients(others) if others else {}

    def _wrong(self, name: str, answer: Any, outcome: Outcome, before: tuple[Digests, Digests]) -> Iterator[str]:
        if answer.status_code not in RIGHT:
            yield f"status {answer.status_code}"
            return
        is_away = outcome is Outcome.SENT_AWAY and name not in OUTSIDE
        if is_away and self.role.person:
            yield str(outcome)
        if not self.role.may(name) and outcome in {Outcome.TAKEN, Outcome.IN_WORDS}:
            yield "let in without its permission"
        written, of_others = map(changed, before, self._state())
        if written and (answer.status_code >= 400 or is_away or tells_error(answer)):
            yield f"half a write with {answer.status_code}: {', '.join(written)}"
        if of_others:
            yield f"writes to a client of others: {', '.join(of_others)}"
        if any(table.startswith(_BOOKS) for table in written):
            self._wrote[name] += 1
            if self._wrote[name] % _BOOKS_EVERY == 1:
                self.books_read += 1
                yield from set(differences_of(self.world.cast.alder, NOW)) - self._agreed

    def _seen(self, answer: Any, url: str, body: dict[str, Any]) -> list[str]:
        """Another's client by name, unless whoever asked had written the name."""
        is_shown = _NAMED in answer.whole and _NAMED not in url.encode() + body.get("data", b"")
        return ["shows a client of others"] if self.role.others and is_shown else []


@contextmanager
def _broken() -> Iterator[list[str]]:
    """The exceptions that become a server error, in words."""
    seen: list[str] = []

    def note(sender: Any, **facts: Any) -> None:
        error = sys.exc_info()[1]
        frames = traceback.extract_tb(error.__traceback__) if error else []
        ours = [
            f"{frame.filename.rpartition('daysheet/')[2]}:{frame.lineno}"
            for frame in frames
            if "daysheet/" in frame.filename and "site-packages" not in frame.filename
        ]
        seen.append(f"{type(error).__name__}: {str(error)[:160]} at {ours[-1] if ours else '?'}")

    got_request_exception.connect(note)
    try:
        yield seen
    finally:
        got_request_exception.disconnect(note)
