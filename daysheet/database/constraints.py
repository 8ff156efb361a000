"""Which constraint refused a write: so that a lost race reads like the check that came before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from daysheet.kit.errors import Refusal


@contextmanager
def refusing(**refusals: Refusal) -> Iterator[None]:
    """Run a write in a savepoint; where the named constraint refuses it, raise its Refusal:
    `with refusing(payer_name_once=PayerNameTaken(…)): …`."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        refusal = refusals.get(getattr(diagnosis, "constraint_name", None) or "")
        if refusal is None:
            raise
        raise refusal from error
