"""A real SMTP server on loopback that keeps what it takes, and misbehaves where a test says so."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from daysheet.database.postmaster import free_port

USER, PASSWORD = "daysheet", "of the mail server"


@dataclass
class MailServer:
    """What it took, in order, and how it answers. `at_recipient` and `at_data`: {address: replies, the next one first};
    with none left the message is taken. The reply `drop` hangs up instead."""

    port: int = 0
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    at_recipient: dict[str, list[str]] = field(default_factory=dict)
    at_data: dict[str, list[str]] = field(default_factory=dict)
    #: Messages for these addresses are kept, and their answer waits for `go_on`.
    held: set[str] = field(default_factory=set)
    is_holding: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    #: Hang up politely (421) at each recipient after so many messages of one connection.
    most_in_a_connection: int | None = None
    connections: int = 0
    was_encrypted: bool = False

    @property
    def messages(self) -> list[EmailMessage]:
        """What was taken, read by Python's own parser."""
        return [email.message_from_bytes(data, policy=email.policy.default) for _, data in self.taken]  # type: ignore[misc]

    def addresses(self) -> list[str]:
        """To whom, in order."""
        return [address for address, _ in self.taken]

    # What aiosmtpd calls.

    async def handle_EHLO(
        self, server: SMTP, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        session.taken = 0
        self.connections += 1
        return responses

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.most_in_a_connection is not None and session.taken >= self.most_in_a_connection:
            return "421 4.7.0 Enough of this connection"
        if reply := self._next(self.at_recipient, address):
            return self._said(server, reply)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        (address,) = envelope.rcpt_tos
        self.was_encrypted = session.ssl is not None
        if reply := self._next(self.at_data, address):
            if reply == "take and drop":
                self.taken.append((address, envelope.original_content))
                reply = "drop"
            return self._said(server, reply)
        self.taken.append((address, envelope.original_content))
        session.taken += 1
        if address in self.held:
            self.is_holding.set()
            await asyncio.get_running_loop().run_in_executor(None, self.go_on.wait)
        return "250 Taken"

    def _next(self, replies: dict[str, list[str]], address: str) -> str:
        waiting = replies.get(address, [])
        return waiting.pop(0) if waiting else ""

    def _said(self, server: SMTP, reply: str) -> str:
        if reply != "drop":
            return reply
        server.transport.abort()  # type: ignore[union-attr]
        return "421 gone"


class _Controller(Controller):
    def factory(self) -> SMTP:
        return SMTP(self.handler, **self.SMTP_kwargs)


@contextmanager
def running_mail_server(*, tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[MailServer]:
    """Serve until the end of the block; with `tls` only after STARTTLS and a sign-in."""
    server = MailServer()
    extra: dict[str, Any] = {}
    if tls is not None:
        extra = {"tls_context": tls, "require_starttls": True, "auth_required": True, "authenticator": _authenticate}
    controller = _Controller(
        server,
        hostname="127.0.0.1",
        port=port or free_port("127.0.0.1"),
        enable_SMTPUTF8=False,
        ready_timeout=60,
        **extra,
    )
    controller.start()
    try:
        server.port = controller.port
        yield server
    finally:
        server.go_on.set()
        controller.stop()


def _authenticate(server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    is_known = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_known, handled=False)


def own_certificate(folder: Path) -> Path:
    """A certificate of this machine's loopback address and its key, in one file, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=4000))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "mail-server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
