"""Expected refusals. An action raises one; the form shows its sentence with status 422 and nothing was written."""

from __future__ import annotations


class Refusal(Exception):
    """A rule said no. `str()` is a full sentence for the person: what happened and what to do."""

    #: A short stable name of the refusal, for the API, batches and tests.
    code = "refused"
    #: The HTTP status that pages answer with.
    status = 422

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotAllowed(Refusal):
    """The actor lacks a permission (P1). Pages answer 403."""

    code = "not_allowed"
    status = 403


class NotFound(Refusal):
    """No such object in this practice, or none this actor may see. Pages answer 404 (P2)."""

    code = "not_found"
    status = 404
