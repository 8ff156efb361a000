"""Insurers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.clients.models import Payer
from daysheet.clients.queries import get_payer
from daysheet.database.constraints import refusing
from daysheet.kit.errors import Refusal
from daysheet.kit.ids import new_id
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission


class PayerNameTaken(Refusal):
    """Another insurer has the same name, whatever its capitals."""

    code = "payer_name_taken"


class PayerNameMissing(Refusal):
    """The name is empty."""

    code = "payer_name_missing"


@action(Permission.BILLING, audited=False)
def add_payer(actor: Actor, /, *, name: str, payer_id: UUID | None = None, **facts: Any) -> Payer:
    """A new insurer; the same `payer_id` again gives the first one back. Raises PayerNameTaken, PayerNameMissing."""
    values = facts | {"name": _name(name)}
    with refusing(payer_name_once=_taken(values["name"])):
        payer, created = Payer.objects.get_or_create(pk=payer_id or new_id(), defaults=values)
    if created:
        record(actor, "add_payer", "payer", payer.pk)
    return payer


@action(Permission.BILLING, audited=False)
def edit_payer(actor: Actor, /, payer_id: UUID, **facts: Any) -> None:
    """Change facts of an insurer; `is_active=False` takes it off the lists. Raises NotFound and as add_payer."""
    payer = get_payer(actor, payer_id)
    if "name" in facts:
        facts["name"] = _name(facts["name"])
    changed = {name: value for name, value in facts.items() if getattr(payer, name) != value}
    if not changed:
        return
    with refusing(payer_name_once=_taken(str(facts.get("name", "")))):
        Payer.objects.filter(pk=payer.pk).update(**changed)
    record(actor, "edit_payer", "payer", payer.pk, fields=sorted(changed))


def _name(name: str) -> str:
    if not name.strip():
        raise PayerNameMissing("Enter the insurer’s name.")
    return name.strip()


def _taken(name: str) -> PayerNameTaken:
    return PayerNameTaken(
        f"There is an insurer named “{name}” already. Nothing was saved: use that one, or add the plan to the name."
    )
