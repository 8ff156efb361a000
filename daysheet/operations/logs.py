"""One line a request and one an event, for people (`text`) or for machines (`json`), with the request's id.

A line names the route, never the address: addresses carry what people search for. Of an exception it tells the places
and the kind, and the message only where that is known to quote nothing: of the machine, and PostgreSQL's about a
constraint, without its own words about the row (DETAIL, CONTEXT).
"""

from __future__ import annotations

import logging
import re
import time
import traceback
from collections.abc import Callable, MutableMapping
from typing import Any

import psycopg
import structlog
from django.db import IntegrityError, OperationalError
from django.http import HttpRequest, HttpResponseBase

from .metrics import count_request

_log = structlog.stdlib.get_logger("daysheet.requests")
#: Behind such a word PostgreSQL quotes values of the row, up to the end of the message.
_QUOTED = re.compile(r"^(DETAIL|CONTEXT|HINT|STATEMENT|QUERY): .*$", re.M)
_MOST_CAUSES = 10
_OF_DATABASE = (OperationalError, IntegrityError, psycopg.OperationalError, psycopg.IntegrityError)
#: A page of any site; its host stays.
_PAGE = re.compile(r"(https?://[^/\s]+)\S*")
_VALUE = re.compile(r"(Failing row contains|Key) \(.*\)")


def configuration(kind: str) -> dict[str, Any]:
    """Django's LOGGING for `text` or `json`."""
    last = structlog.processors.JSONRenderer() if kind == "json" else structlog.dev.ConsoleRenderer(colors=False)
    exceptions = structlog.processors.ExceptionRenderer(told_of_exception)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_address,
        exceptions,
        without_quoted_values,
    ]
    structlog.configure(
        processors=[*shared[:-3], structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": shared,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            exceptions,
            without_quoted_values,
            last,
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "daysheet": {"level": "INFO"},
            # An answer of 4xx has its line already.
            "django.request": {"level": "ERROR"},
        },
    }


def without_address(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Django ends what it says of a request with the address, and of a foreign form with the page it came from; the
    line of the request has its route. An address may hold an invitation's secret, and what somebody searched for."""
    if str(event.get("logger", "")).startswith(("django.request", "django.security")):
        event["event"] = _PAGE.sub(r"\1", str(event.get("event", "")).partition(": /")[0])
    return event


def without_quoted_values(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cut what quotes the values of a row out of everything that may hold PostgreSQL's words."""
    for name in ("event", "exception", "stack"):
        if isinstance(event.get(name), str):
            event[name] = redacted(event[name])
    return event


def told_of_exception(exc_info: structlog.typing.ExcInfo) -> str:
    """Where it happened and what kind it was, the newest first, each with what caused it."""
    error: BaseException | None = exc_info[1]
    told: list[str] = []
    while error is not None and len(told) < _MOST_CAUSES:
        kind = type(error)
        words = _words_of(error) or "(left out)"
        places = "".join(traceback.format_tb(error.__traceback__))
        told.append(f"{places}{kind.__module__}.{kind.__qualname__}: {words}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\ncaused by\n".join(told)


def _words_of(error: BaseException) -> str:
    """What it says, where that quotes nothing that was typed or stored: "invalid literal for int(): 'Ruiz'" does, a
    refused recipient does, and so does what PostgreSQL adds to its first sentence."""
    if isinstance(error, _OF_DATABASE):
        cause = error.__cause__ if isinstance(error.__cause__, psycopg.Error) else error
        first = cause.diag.message_primary if isinstance(cause, psycopg.Error) else None
        return first or str(error)
    if isinstance(error, OSError) and error.errno is not None:
        return f"[Errno {error.errno}] {error.strerror}"
    return ""


def redacted(text: str) -> str:
    """`text` without the values that PostgreSQL quotes."""
    return _VALUE.sub(r"\1 (left out)", _QUOTED.sub(r"\1: (left out)", text))


def log_request(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """A line and a measurement for every request but those of health checks and static files."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=getattr(request, "request_id", ""))
        response = get_response(request)
        seconds = time.perf_counter() - began
        route = _route(request)
        count_request(request.method or "", route, response.status_code, seconds)
        if not route.startswith("health") and request.resolver_match is not None:
            level = logging.WARNING if response.status_code >= 500 else logging.INFO
            _log.log(level, "request", **_facts(request, route, response.status_code, seconds))
        return response

    return answer


def _route(request: HttpRequest) -> str:
    """`invoicing:invoice`; the same for every practice, client and search."""
    match = request.resolver_match
    return (match.view_name or match.route) if match is not None else "none"


def _facts(request: HttpRequest, route: str, status: int, seconds: float) -> dict[str, object]:
    actor = getattr(request, "actor", None)
    facts: dict[str, object] = {
        "method": request.method, "route": route, "status": status, "milliseconds": round(seconds * 1000),
    }  # fmt: skip
    if actor is not None:
        facts |= {"practice": actor.practice.id, "user": actor.user_id}
    return facts
