"""One HTTP request to a processor, with every failure named by what it leaves open."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any
from urllib.parse import urlsplit

from .base import AnswerLost, GatewayRefused, GatewayUnavailable

#: Shorter than a job's heart beat may be late (60 s), so that a slow processor never looks like a dead worker.
TIMEOUT_SECONDS = 20
_LARGEST_ANSWER = 1_000_000


class NotThere(GatewayRefused):
    """The processor knows no such object (404)."""


def call(base_url: str, method: str, path: str, *, headers: dict[str, str], body: bytes = b"") -> dict[str, Any]:
    """The JSON object of the answer. Raises GatewayUnavailable before anything was sent, AnswerLost after it, and
    GatewayRefused for an answer that says no (its message is the processor's)."""
    connection = _connection(base_url)
    try:
        connection.connect()
    except (OSError, ssl.SSLError) as error:
        connection.close()
        raise GatewayUnavailable(f"The card processor cannot be reached ({type(error).__name__}).") from error
    try:
        connection.request(method, urlsplit(base_url).path + path, body=body or None, headers=headers)
        answer = connection.getresponse()
        text = answer.read(_LARGEST_ANSWER + 1)
    except (OSError, http.client.HTTPException) as error:
        raise AnswerLost(f"The card processor's answer was lost ({type(error).__name__}).") from error
    finally:
        connection.close()
    return _read(answer.status, text)


def _connection(base_url: str) -> http.client.HTTPConnection:
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        return http.client.HTTPSConnection(
            host, parts.port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    if parts.scheme == "http" and host in {"127.0.0.1", "localhost", "::1"}:
        return http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT_SECONDS)
    raise GatewayUnavailable("A card processor is asked over https, or on this machine.")


def _read(status: int, text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if status >= 500 or status == 409 or not isinstance(found, dict) or len(text) > _LARGEST_ANSWER:
        # 409: the same request is being carried out at this moment.
        raise AnswerLost(f"The card processor answered with an error of its own ({status}).")
    if status == 404:
        raise NotThere("The card processor knows no such object.")
    if status == 402 or status < 300:
        return found
    error = found.get("error")
    message = error.get("message") if isinstance(error, dict) else None
    raise GatewayRefused(f"The card processor refused the request: {message or status}.")
