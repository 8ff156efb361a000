"""The job that sends what waits, practice by practice: at most once for sure.

A message is claimed by a conditional UPDATE, and marked as handed over before its last byte leaves. A worker that dies
before the mark has sent nothing: the message waits again. One that dies after it leaves an unknown, which only a person
sends again. Log lines carry ids and codes: no address, no name, no server's words.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError

from daysheet.database.scope import practice_transaction
from daysheet.jobs.actions import advance_job
from daysheet.jobs.registry import RunningJob
from daysheet.kit.errors import Refusal
from daysheet.kit.ids import new_id
from daysheet.practices.actor import Actor, system_actor

from .letters import File, Signature, letter, signature_of
from .models import DeliveryStep, Message
from .registry import HIDDEN, has_secret, renderer_named, secret_of
from .rules import Answer, Verdict, delay_after
from .transport import ClaimLost, Line

#: Claimed and rendered together: what a killed worker holds, and what lies in memory, at the most.
PIECE = 20
#: After so many messages in a row that were not taken, the next minute is soon enough to go on.
MOST_IN_A_ROW = 5
_BEAT_EVERY = timedelta(seconds=10)
_log = logging.getLogger("daysheet.mail")
#: The files of a message, or why they cannot be made.
_Files = list[File] | Refusal


class DocumentFailed(Refusal):
    """A renderer failed in a way that nobody expected."""

    code = "document_failed"


@dataclass
class _Round:
    """One run of the job."""

    job: RunningJob
    line: Line = field(init=False)
    failures_in_a_row: int = 0
    beat_at: datetime | None = None

    def __post_init__(self) -> None:
        self.line = Line(self.beat)

    def beat(self) -> None:
        """A sign of life while the mail server takes its time."""
        now = self.job.clock()
        if self.beat_at is None or now - self.beat_at >= _BEAT_EVERY:
            self.beat_at = now
            with practice_transaction(self.job.practice.id):
                advance_job(self.job.run_id, by=0, now=now)

    def count(self, answer: Answer) -> None:
        """What the mail server said to a message."""
        if answer.verdict is Verdict.ACCEPTED:
            self.failures_in_a_row = 0
        else:
            self.failures_in_a_row += MOST_IN_A_ROW if answer.is_line_lost else 1

    @property
    def is_over(self) -> bool:
        """Whether there is no point in going on now."""
        return self.failures_in_a_row >= MOST_IN_A_ROW


def run_delivery(job: RunningJob) -> None:
    """Send everything that is due, or stop where the mail server takes nothing: the sweep starts again."""
    _take_back(job)
    this = _Round(job)
    try:
        while not this.is_over and _send_piece(this):
            pass
    finally:
        this.line.close()


def _take_back(job: RunningJob) -> None:
    """Messages that a lost worker had: what it had not handed over waits again, the others are unknown."""
    with practice_transaction(job.practice.id):
        lost = Message.objects.filter(state=Message.State.SENDING).order_by("pk").select_for_update()
        for message in lost:
            if message.handed_over_at is None:
                _move(message.pk, message.claim_id, Message.State.WAITING, claim_id=None)
                continue
            _move(message.pk, message.claim_id, Message.State.UNKNOWN)
            words = "Daysheet was stopped before the mail server's answer was written down."
            _write_step(message, job.clock(), DeliveryStep.Outcome.UNKNOWN, Answer(Verdict.UNKNOWN, words=words))


def _send_piece(this: _Round) -> bool:
    """Claim some messages, make their documents together, send them one by one. False where none was due."""
    job = this.job
    claim_id = new_id()
    with practice_transaction(job.practice.id):
        messages = _claim(claim_id, job.clock())
        signature = signature_of(job.practice)
    if not messages:
        return False
    files = _make_files(job, messages)
    for position, message in enumerate(messages):
        if this.is_over:
            _put_back(job, claim_id, messages[position:])
            break
        _send(this, message, claim_id, signature, files[message.pk])
    return True


def _claim(claim_id: UUID, now: datetime) -> list[Message]:
    due = Message.objects.filter(state=Message.State.WAITING, due_at__lte=now).order_by("is_bulk", "due_at", "pk")
    ids = list(due.values_list("pk", flat=True)[:PIECE])
    Message.objects.filter(pk__in=ids, state=Message.State.WAITING).update(
        state=Message.State.SENDING, claim_id=claim_id
    )
    return list(Message.objects.filter(pk__in=ids, claim_id=claim_id).order_by("is_bulk", "due_at", "pk"))


def _put_back(job: RunningJob, claim_id: UUID, messages: Sequence[Message]) -> None:
    with practice_transaction(job.practice.id):
        for message in messages:
            _move(message.pk, claim_id, Message.State.WAITING, claim_id=None)


def _send(this: _Round, message: Message, claim_id: UUID, signature: Signature, files: _Files) -> None:
    job = this.job
    if isinstance(files, Refusal):
        return _finish(this, message, claim_id, Answer(Verdict.REFUSED, words=files.message[:400]))
    secret = HIDDEN
    if has_secret(message.kind):
        try:
            with practice_transaction(job.practice.id):
                secret = secret_of(_actor(job), message.kind, message.run_id)
        except Refusal as refusal:
            return _finish(this, message, claim_id, Answer(Verdict.REFUSED, words=refusal.message[:400]))
    email = letter(message, signature, files, job.clock(), secret=secret)

    def hand_over() -> None:
        with practice_transaction(job.practice.id):
            mine = Message.objects.filter(pk=message.pk, claim_id=claim_id, state=Message.State.SENDING)
            if not mine.update(handed_over_at=job.clock()):
                raise ClaimLost

    try:
        answer = this.line.send(email, hand_over)
        if answer.is_line_lost and answer.verdict is Verdict.TEMPORARY and this.line.was_in_use:
            # Some servers hang up after so many messages: that says nothing about this one.
            answer = this.line.send(email, hand_over)
    except ClaimLost:
        _log.warning("message %s was taken over by another worker", message.pk)
        return None
    this.count(answer)
    return _finish(this, message, claim_id, answer)


def _finish(this: _Round, message: Message, claim_id: UUID, answer: Answer) -> None:
    """Write down what came of a try, and count it."""
    job, now = this.job, this.job.clock()
    outcome, state, due_at = _consequence(message, answer, now)
    changed: dict[str, Any] = {"claim_id": None, "handed_over_at": None, "failure_count": message.failure_count}
    if state is Message.State.SENT:
        changed["sent_at"] = now
    elif state is Message.State.UNKNOWN:
        changed = {}
    else:
        changed |= {"failure_count": message.failure_count + 1, "due_at": due_at}
    with practice_transaction(job.practice.id):
        _move(message.pk, claim_id, state, **changed)
        _write_step(message, now, outcome, answer)
        advance_job(job.run_id, by=1, now=now)
    this.beat_at = now
    if answer.verdict is not Verdict.ACCEPTED:
        _log.warning("message %s: %s, code %s", message.pk, answer.verdict, answer.code)


def _consequence(message: Message, answer: Answer, now: datetime) -> tuple[str, Message.State, datetime]:
    """(outcome of the step, state of the message, when it is due)."""
    if answer.verdict is Verdict.ACCEPTED:
        return DeliveryStep.Outcome.ACCEPTED, Message.State.SENT, message.due_at
    if answer.verdict is Verdict.REFUSED:
        return DeliveryStep.Outcome.REFUSED, Message.State.FAILED, message.due_at
    if answer.verdict is Verdict.UNKNOWN:
        return DeliveryStep.Outcome.UNKNOWN, Message.State.UNKNOWN, message.due_at
    delay = delay_after(message.failure_count + 1)
    if delay is None:
        return DeliveryStep.Outcome.GAVE_UP, Message.State.GIVEN_UP, message.due_at
    return DeliveryStep.Outcome.TEMPORARY, Message.State.WAITING, now + delay


def _move(message_id: UUID, held_by: UUID | None, state: Message.State, **changed: Any) -> bool:
    """Change the state where the claim still holds. A worker that was believed lost and comes back with the server's
    answer is right about its unknown, as long as no person has decided."""
    held = Message.objects.filter(
        pk=message_id, claim_id=held_by, state__in=[Message.State.SENDING, Message.State.UNKNOWN]
    )
    return bool(held.update(state=state, **changed))


def _write_step(message: Message, now: datetime, outcome: str, answer: Answer) -> None:
    DeliveryStep.objects.create(
        message=message, at=now, outcome=outcome, code=answer.code, words=answer.words, address=message.address,
        sha256=answer.sha256, size_bytes=answer.size_bytes,
    )  # fmt: skip


def _make_files(job: RunningJob, messages: Sequence[Message]) -> dict[UUID, _Files]:
    """The attachments of these messages, all of one kind by one call of their renderer."""
    wanted: dict[str, list[tuple[UUID, Mapping[str, Any]]]] = {}
    for message in messages:
        for each in message.attachments:
            wanted.setdefault(each["renderer"], []).append((message.pk, each))
    made: dict[UUID, _Files] = {message.pk: [] for message in messages}
    for renderer, requests in wanted.items():
        contents = _rendered(job, renderer, [each["arguments"] for _, each in requests])
        for (message_id, each), content in zip(requests, contents, strict=True):
            files = made[message_id]
            if isinstance(content, Refusal):
                made[message_id] = content
            elif isinstance(files, list):
                files.append(File(each["file_name"], content))
    return made


def _rendered(job: RunningJob, renderer: str, arguments: Sequence[Mapping[str, Any]]) -> Iterable[bytes | Refusal]:
    """All at once; where that fails, each by itself, so that one cannot stop the others."""
    try:
        return _render(job, renderer, arguments)
    except Exception as error:
        # No traceback: it may quote what it was working on.
        _log.error("documents by %s failed (%s), going on one by one", renderer, type(error).__name__)
    return [_rendered_alone(job, renderer, each) for each in arguments]


def _render(job: RunningJob, renderer: str, arguments: Sequence[Mapping[str, Any]]) -> Sequence[bytes | Refusal]:
    with practice_transaction(job.practice.id):
        return renderer_named(renderer)(_actor(job), arguments)


def _actor(job: RunningJob) -> Actor:
    return system_actor(job.practice, job.clock(), name="Daysheet")


def _rendered_alone(job: RunningJob, renderer: str, arguments: Mapping[str, Any]) -> bytes | Refusal:
    try:
        return _render(job, renderer, [arguments])[0]
    except Refusal as refusal:
        return refusal
    except (OperationalError, InterfaceError):  # the database is gone, which says nothing about the document
        raise
    except Exception as error:
        _log.error("a document by %s failed: %s", renderer, type(error).__name__)
        return DocumentFailed("The document could not be made. Nothing was sent; the log has the kind of failure.")
