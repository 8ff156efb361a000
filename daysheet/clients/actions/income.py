"""The income of a client's household and its size, as given on a day (B10).

Rows are added, never changed: what a bill of last year was priced by can be read for ever.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.clients.models import Client, ClientIncome
from daysheet.clients.queries import income_history
from daysheet.kit.dates import us_date
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .clients import lock_client


class IncomeNotGivenYet(Refusal):
    """The day on which the income was given lies in the future."""

    code = "income_not_given_yet"


class IncomeRenewedBeforeGiven(Refusal):
    """It would have to be renewed before it was given."""

    code = "income_renewed_before_given"


class NoIncomeOnRecord(Refusal):
    """There is no income to take back."""

    code = "no_income_on_record"


@action(Permission.BILLING, audited=False)
def record_income(
    actor: Actor,
    client_id: UUID,
    *,
    income_cents: int,
    period: str,
    household_size: int,
    given_on: date,
    renew_on: date | None = None,
    note: str = "",
    income_id: UUID | None = None,
) -> ClientIncome:
    """What the household lives on in one `period`, for dates of service from `given_on` on and before `renew_on`. The
    same `income_id` again gives the first one back. Raises NotFound, IncomeNotGivenYet, IncomeRenewedBeforeGiven."""
    client = lock_client(actor, client_id)
    _check_day(actor, given_on)
    if renew_on and renew_on <= given_on:
        raise IncomeRenewedBeforeGiven(f"It was given on {us_date(given_on)}: it can only be renewed on a later day.")
    income, is_new = _add(
        actor, client, income_id, income_cents=income_cents, period=ClientIncome.Period(period).value,
        household_size=household_size, given_on=given_on, renew_on=renew_on, note=note.strip(),
    )  # fmt: skip
    if is_new:
        record(actor, "record_income", "client", client.pk, client_id=client.pk, **_days(income))
    return income


@action(Permission.BILLING, audited=False)
def take_income_back(
    actor: Actor, client_id: UUID, *, given_on: date, note: str = "", income_id: UUID | None = None
) -> ClientIncome:
    """From `given_on` on no income of the client counts. Raises NotFound, IncomeNotGivenYet, NoIncomeOnRecord."""
    client = lock_client(actor, client_id)
    _check_day(actor, given_on)
    history = income_history(actor, client_id)
    standing = [row for row in history if row.given_on <= given_on]
    is_repeated = any(row.id == income_id for row in history)
    if not is_repeated and (not standing or standing[0].is_taken_back):
        raise NoIncomeOnRecord(f"No income counts on {us_date(given_on)}, so there is nothing to take back.")
    income, is_new = _add(actor, client, income_id, given_on=given_on, note=note.strip())
    if is_new:
        record(actor, "take_income_back", "client", client.pk, client_id=client.pk, **_days(income))
    return income


def _check_day(actor: Actor, given_on: date) -> None:
    if given_on > actor.today:
        raise IncomeNotGivenYet(f"{us_date(given_on)} is still to come: enter the day on which the client told you.")


def _add(actor: Actor, client: Client, income_id: UUID | None, **facts: object) -> tuple[ClientIncome, bool]:
    """One row more, and whether it is new."""
    income, is_new = ClientIncome.objects.get_or_create(
        pk=income_id or new_id(),
        defaults={"client": client, "recorded_at": actor.now, "recorded_by_name": actor.person_name[:120], **facts},
    )
    if income.client_id != client.pk:
        raise NotFound("There is no such income of this client.")
    return income, is_new


def _days(income: ClientIncome) -> dict[str, str]:
    """What the log keeps: no amount, which is the client's own affair."""
    return {"given_on": str(income.given_on), "renew_on": str(income.renew_on or "")}
