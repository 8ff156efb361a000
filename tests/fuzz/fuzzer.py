"""Sends requests as somebody, takes each back, and keeps what must not be."""

from __future__ import annotations

import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.signals import got_request_exception
from django.db import transaction

from daysheet.config.verify import differences_of
from tests.architecture.methods import OUTSIDE
from tests.architecture.world import World
from tests.pages import named_in
from tests.people import NOW

from .digests import Digester, Digests, changed
from .hostile import body_of, query_of
from .roles import Role, owner_of
from .targets import Forms, Sending, Target, all_targets, watching
from .typed import FIRST
from .visitors import Outcome, Visitor, outcome_of, tells_error

#: What a request may end in. 503 is a lock that lasts, which nobody holds here.
RIGHT = {200, 204, 301, 302, 303, 304, 400, 403, 404, 405, 409, 410, 413, 422, 429}
#: The slowest page takes less than a tenth of it.
MOST_SECONDS = 3
#: How often an answer is a page with a form again (a look at what will happen, a list to tick), and that one is sent.
_ROUNDS = 3
#: Tables that `verify` recomputes from each other.
_BOOKS = ("ledger_", "invoicing_", "payments_", "cards_", "claims_", "schedule_", "documents_", "mailings_")
#: The first write of each address and then one in so many: reading the books takes as long as five requests.
_BOOKS_EVERY = 5
#: The client to whom nearly everything of the world belongs.
_NAMED = "Ruiz"


@dataclass
class Record:
    """`found`: the first of each kind of wrong, with the request that showed it; `answers`: how often which outcome, by
    method and address; `opened`: the pages that came; `wrote`: how often something was changed."""

    found: dict[str, str] = field(default_factory=dict)
    answers: defaultdict[str, Counter[Outcome]] = field(default_factory=lambda: defaultdict(Counter))
    opened: set[str] = field(default_factory=set)
    wrote: Counter[str] = field(default_factory=Counter)
    moved_books: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    books_read: int = 0
    slowest: float = 0

    def taken(self) -> set[str]:
        """Forms that were taken at least once."""
        return {name for name, outcomes in self.answers.items() if name.startswith("POST") and outcomes[Outcome.TAKEN]}


class Fuzzer:
    """Somebody (the owner, where none is named) at these addresses. `record`: what came of it since `begin`; `learnt`:
    what came of learning; `last`: the last answer."""

    last: Any

    def __init__(self, world: World, only: Collection[str] = (), role: Role | None = None) -> None:
        self.world = world
        self.role = role or owner_of(world)
        self.visitor = Visitor(self.role.person)
        self.targets = [each for each in all_targets(world) if not only or each.name in only]
        self.ids = [str(value) for value in world.ids.values()]
        self.record = self.learnt = Record()
        found = Path(settings.DATA_FOLDER).glob(f"uploads/*/{world.ids['sha256']}*")
        self._uploads = {path: path.read_bytes() for path in found}
        self._digester = Digester()
        self._now = self._state()
        self._at_first = self._now[0]
        self._agreed = set(differences_of(world.cast.alder, NOW))

    def begin(self) -> None:
        """A new record; what was learnt stays known."""
        self.record = Record()
        self._now = self._state()

    def learn(self) -> None:
        """What forms send and views ask for: each form of a page is sent with each of its buttons, and so are the forms
        of the pages that answer. All of it is looked at as any other request is, and kept as `learnt`."""
        self._open_pages()
        posts = [target for target in self.targets if target.method == "POST"]
        tried: set[Any] = set()
        # What needs another form to be sent first waits until that one is known.
        for waits in (False, True):
            for _ in range(_ROUNDS):
                self._take(self._sent_once([each for each in posts if (each.name in FIRST) is waits], tried))
        self.learnt = self.record
        self.begin()

    def learn_pages(self) -> None:
        """What pages ask for, and their searches; nothing of their forms is tried."""
        self._open_pages()
        self.learnt = self.record
        self.begin()

    def _open_pages(self) -> None:
        """Each page as it comes, then each search of it."""
        forms = Forms()
        pages = [target for target in self.targets if target.method == "GET"]
        for target in pages:
            forms.read(self._look(target, target.url), target.url)
        for target in pages:
            target.take(forms)
            for each in target.forms:
                url = f"{each.url}?{query_of(each.fields)}"
                forms.read(self._look(target, url), url)
        self._take(forms)

    def _look(self, target: Target, url: str) -> Any:
        with watching(target.asked):
            self.send(target.name, "GET", url)
        return self.last

    def _take(self, forms: Forms) -> None:
        for target in self.targets:
            target.take(forms)

    def _sent_once(self, targets: Collection[Target], tried: set[Any]) -> Forms:
        """The forms of all answers to what these send, of which each kind is sent once."""
        answers = Forms()
        for target in targets:
            for each in target.forms or [target.sent]:
                if (kind := (target.url, each.kind)) in tried:
                    continue
                tried.add(kind)
                before = self.record.wrote[f"POST {target.name}"]
                with watching(target.asked):
                    self.press(target, each)
                answers.read(self.last, each.url)
                if self.record.wrote[f"POST {target.name}"] > before:
                    target.wrote.append(each)
        return answers

    @contextmanager
    def taken_back(self) -> Iterator[None]:
        """Nothing stays of what is done inside; a file that was taken in is there again."""
        kept = self._now
        try:
            with transaction.atomic():
                yield
                transaction.set_rollback(True)
        finally:
            self._now = kept
            for path, content in self._uploads.items():
                if not path.exists():
                    path.write_bytes(content)

    def press(self, target: Target, sending: Sending) -> Outcome:
        """One form as its page sends it, after the one it needs; nothing of it stays."""
        body = body_of("form", sending.fields, target.fine_files)
        with self.taken_back():
            if first := self._named(FIRST.get(target.name)):
                self.send_and_keep(first.name, "POST", first.sent.url, **body_of("form", first.sent.fields))
            return self.send_and_keep(target.name, target.method, sending.url, **body)

    def _named(self, name: str | None) -> Target | None:
        return next((each for each in self.targets if (each.name, each.method) == (name, "POST")), None)

    def send(self, name: str, method: str, url: str, *, is_part: bool = False, **body: Any) -> Outcome:
        """One request; nothing of it stays."""
        with self.taken_back():
            return self.send_and_keep(name, method, url, is_part=is_part, **body)

    def send_and_keep(self, name: str, method: str, url: str, *, is_part: bool = False, **body: Any) -> Outcome:
        """One request on top of those before; the caller takes all of them back."""
        self.record.sent += 1
        with _broken() as broken:
            answer, took = self._asked(method, url, is_part=is_part, **body)
            self.last = answer
            outcome = outcome_of(answer)
            self.record.answers[f"{method} {name}"][outcome] += 1
            self.record.opened |= {name} if (method, answer.status_code) == ("GET", 200) else set()
            self.record.slowest = max(took, self.record.slowest)
            slow = ["took too long"] if took > MOST_SECONDS else []
            wrong = [*self._wrong(f"{method} {name}", answer, outcome), *self._seen(answer, url, body)]
            for kind in [*broken, *slow, *wrong]:
                self.note(f"{method} {name}: {kind}", f"{url[:300]} {str(body)[:1200]}")
        return outcome

    def _asked(self, method: str, url: str, **body: Any) -> tuple[Any, float]:
        """The answer, and the seconds it took. A slow one is taken back and asked for once more: what is slow only once
        was the machine."""
        before = transaction.savepoint()
        answer, took = self._timed(method, url, **body)
        if took > MOST_SECONDS:
            transaction.savepoint_rollback(before)
            answer, took = self._timed(method, url, **body)
        return answer, took

    def _timed(self, method: str, url: str, **body: Any) -> tuple[Any, float]:
        began = time.perf_counter()
        answer = self.visitor.ask(method, url, **body)
        return answer, time.perf_counter() - began

    def note(self, kind: str, request: str) -> None:
        """Keep the first request of each kind."""
        self.record.found.setdefault(kind, request)

    def problems(self) -> list[str]:
        """What was found, one thing a line, with the request that showed it; and what is not as it was at first."""
        left = changed(self._at_first, self._digester.all())
        books = set(differences_of(self.world.cast.alder, NOW)) - self._agreed
        return [
            *(f"{kind}\n    {request}" for kind, request in sorted(self.record.found.items())),
            *(f"something stayed in {table}" for table in left),
            *(f"the books at the end: {each}" for each in books),
        ]

    def never_heard(self) -> list[str]:
        """Forms inside the practice that no view has taken, nor refused in words: nothing was tried there at all."""
        posts = [each.name for each in self.targets if each.method == "POST" and each.name not in OUTSIDE]
        heard = {Outcome.TAKEN, Outcome.IN_WORDS}
        return [name for name in posts if not heard & set(self.record.answers[f"POST {name}"])]

    def _state(self) -> tuple[Digests, Digests]:
        others = self.role.others
        return self._digester.all(), self._digester.of_clients(others) if others else {}

    def _wrong(self, place: str, answer: Any, outcome: Outcome) -> Iterator[str]:
        before, self._now = self._now, self._state()
        if answer.status_code not in RIGHT:
            yield f"status {answer.status_code}"
            return
        name = place.partition(" ")[2]
        is_away = outcome is Outcome.SENT_AWAY and name not in OUTSIDE
        if is_away and self.role.person:
            yield str(outcome)
        if not self.role.may(name) and outcome in {Outcome.TAKEN, Outcome.IN_WORDS}:
            yield "let in without its permission"
        written, of_others = map(changed, before, self._now)
        if written and (answer.status_code >= 400 or is_away or tells_error(answer)):
            yield f"half a write with {answer.status_code}: {', '.join(written)}"
        elif written:
            self.record.wrote[place] += 1
        if of_others:
            yield f"writes to a client of others: {', '.join(of_others)}"
        if any(table.startswith(_BOOKS) for table in written):
            self.record.moved_books[place] += 1
            if self.record.moved_books[place] % _BOOKS_EVERY == 1:
                self.record.books_read += 1
                yield from set(differences_of(self.world.cast.alder, NOW)) - self._agreed

    def _seen(self, answer: Any, url: str, body: dict[str, Any]) -> list[str]:
        """Another's client by name, unless whoever asked had written the name."""
        if not self.role.others or _NAMED.encode() in url.encode() + body.get("data", b""):
            return []
        return ["shows a client of others"] if named_in(answer.whole.decode("latin-1"), [_NAMED]) else []


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
