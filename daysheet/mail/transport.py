"""The line to the mail server: Django's e-mail backend opens it (TLS, sign-in), the steps of a delivery are our own.

smtplib's `sendmail` does not say how far it came. Here the moment is known after which the server may have a message:
everything but the closing dot is sent, `hand_over` commits, and only then the dot leaves. What fails before was not
delivered for certain; what fails after, up to the server's answer, is unknown.

Nothing here is logged: a server's words often repeat the address.
"""

from __future__ import annotations

import hashlib
import re
import select
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import replace
from email.utils import parseaddr
from typing import Any

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend

from .rules import Answer, Verdict, verdict_of

#: The server may take ten minutes to say what became of a message (RFC 5321, 4.5.3.2.6). A shorter patience would
#: make delivered messages unknown.
FINAL_LOOKS = 60
_LOOK_EVERY_SECONDS = 10.0
_CLOSING = 421
_GO_ON = 354
_LINE_TROUBLE = (smtplib.SMTPException, OSError, ValueError)


class ClaimLost(Exception):
    """Somebody else has taken this message over: the dot must not leave."""


class Line:
    """A connection that is opened when it is first needed. `beat` is called while an answer is waited for."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat = beat
        self._backend: Any = None
        #: Whether the connection of the last try had taken a message before.
        self.was_in_use = False
        self._taken = 0

    def send(self, email: EmailMessage, hand_over: Callable[[], None]) -> Answer:
        """Try to deliver one message to its one recipient. What `hand_over` raises goes on, with nothing delivered."""
        self.was_in_use = self._taken > 0
        if self._backend is None and (trouble := self._open()):
            return trouble
        try:
            answer = self._deliver(email, hand_over)
        except BaseException:  # whatever stopped us between the message and its dot: the dot must not follow
            self.close()
            raise
        if answer.is_line_lost:
            self.close()
        self._taken += answer.verdict is Verdict.ACCEPTED
        return answer

    def close(self) -> None:
        """Hang up, whatever state the line is in."""
        backend, self._backend, self._taken = self._backend, None, 0
        if backend is not None:
            _hang_up(backend)

    def _open(self) -> Answer | None:
        backend: Any = get_connection()
        try:
            backend.open()
            if isinstance(backend, SmtpBackend):
                _smtp_of(backend).ehlo_or_helo_if_needed()
        except _LINE_TROUBLE as error:
            _hang_up(backend)
            return _lost(error, "The mail server could not be reached: ")
        self._backend = backend
        return None

    def _deliver(self, email: EmailMessage, hand_over: Callable[[], None]) -> Answer:
        if isinstance(self._backend, SmtpBackend):
            return self._by_smtp(_smtp_of(self._backend), email, hand_over)
        hand_over()
        try:
            self._backend.send_messages([email])
        except OSError as error:
            return _lost(error, "The message could not be put into the outbox: ")
        return Answer(Verdict.ACCEPTED, words="Put into the outbox: no mail server is configured.")

    def _by_smtp(self, smtp: smtplib.SMTP, email: EmailMessage, hand_over: Callable[[], None]) -> Answer:
        message: Any = email.message()
        payload: bytes = message.as_bytes(linesep="\r\n")
        facts: dict[str, Any] = {"sha256": hashlib.sha256(payload).hexdigest(), "size_bytes": len(payload)}
        try:
            if refused := self._envelope(smtp, email, len(payload)):
                return refused
            smtp.send(_dots_doubled(payload))
        except _LINE_TROUBLE as error:
            return _lost(error)
        hand_over()
        try:
            smtp.send(b".\r\n")
            self._wait(smtp)
            code, words = smtp.getreply()
        except _LINE_TROUBLE as error:
            return Answer(Verdict.UNKNOWN, words=_words(error), is_line_lost=True, **facts)
        answer = _answer(code, words, **facts)
        # Neither yes nor no is no answer.
        return answer if code // 100 in (2, 4, 5) else replace(answer, verdict=Verdict.UNKNOWN, is_line_lost=True)

    def _envelope(self, smtp: smtplib.SMTP, email: EmailMessage, size: int) -> Answer | None:
        """MAIL, RCPT and DATA; None where the server wants the message now."""
        options = [f"size={size}"] if smtp.has_extn("size") else []
        steps: tuple[Callable[[], tuple[int, bytes]], ...] = (
            lambda: smtp.mail(parseaddr(email.from_email)[1], options),
            lambda: smtp.rcpt(email.to[0]),
        )
        for step in steps:
            self._beat()
            code, words = step()
            if verdict_of(code) is not Verdict.ACCEPTED:
                return _turned_down(smtp, code, words)
        self._beat()
        code, words = smtp.docmd("DATA")
        return None if code == _GO_ON else _turned_down(smtp, code, words)

    def _wait(self, smtp: smtplib.SMTP) -> None:
        """Until the server says something. Its socket's own, shorter patience would spoil the line for reading."""
        sock = smtp.sock
        assert sock is not None
        for _ in range(FINAL_LOOKS):
            if isinstance(sock, ssl.SSLSocket) and sock.pending():
                return
            if select.select([sock], [], [], _LOOK_EVERY_SECONDS)[0]:
                return
            self._beat()
        raise TimeoutError("The mail server did not say what became of the message.")


def _smtp_of(backend: SmtpBackend) -> smtplib.SMTP:
    assert backend.connection is not None, "the backend is open"
    return backend.connection


def _hang_up(backend: Any) -> None:
    """Without the farewell of the protocol: the line may be in the middle of anything, or dead."""
    if not isinstance(backend, SmtpBackend):
        backend.close()
    elif backend.connection is not None:
        backend.connection.close()


def _turned_down(smtp: smtplib.SMTP, code: int, words: bytes) -> Answer:
    """The server does not want this message; the next one can follow."""
    answer = _answer(code, words)
    if not answer.is_line_lost:
        smtp.rset()
    # A yes where DATA asks for 354 is no promise of anything.
    return replace(answer, verdict=Verdict.TEMPORARY) if answer.verdict is Verdict.ACCEPTED else answer


def _answer(code: int, words: bytes, **facts: Any) -> Answer:
    text = words.decode("utf-8", "replace")
    # -1: the line broke in the middle of a reply.
    return Answer(verdict_of(code), code if code > 0 else None, text[:400], code in {_CLOSING, -1}, **facts)


def _lost(error: Exception, before: str = "") -> Answer:
    code = error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else None
    return Answer(Verdict.TEMPORARY, code, (before + _words(error))[:400], is_line_lost=True)


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return (said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said))[:400]
    return (str(error) or type(error).__name__)[:400]


def _dots_doubled(payload: bytes) -> bytes:
    """Lines that begin with a dot get another one (RFC 5321, 4.5.2); the last line ends with CRLF."""
    doubled = re.sub(rb"(?m)^\.", b"..", payload)
    return doubled if doubled.endswith(b"\r\n") else doubled + b"\r\n"
