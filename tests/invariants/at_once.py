"""Pieces of work that start together, each in a thread with a database connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from django.db import connection, connections

Answer = TypeVar("Answer")


def at_once(*pieces: Callable[[], Answer]) -> list[Answer]:
    """The answers, in order. What one piece raises is raised here, after all have ended."""
    barrier = threading.Barrier(len(pieces))
    answers: dict[int, Answer] = {}
    errors: list[BaseException] = []

    def run(number: int, piece: Callable[[], Answer]) -> None:
        try:
            connection.ensure_connection()  # opening it is not part of the race
            barrier.wait(timeout=20)
            answers[number] = piece()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(pieces)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]
    return [answers[number] for number in range(len(pieces))]
