"""What a person does on some pages so that there is something to write: sent as they come they would change nothing."""

from __future__ import annotations

from .hostile import Fields

#: By address: what is put into which fields. A name that ends in "-" is the beginning of several.
TYPED: dict[str, dict[str, str]] = {
    "automation:add_rule": {"payer": "", "pays_by": "", "status": ""},
    "cards:charge_cards": {"amount-": "1.00"},
    "cards:charge_client": {"amount-": "1.00"},
    "cards:refund": {"amount": "0.50"},
    "clients:add_coverage": {"rank": "2"},
    "clients:add_diagnosis": {"code": "F32.1"},
    "clients:edit_insurer": {"phone": "212-555-0100"},
    "documents:give_estimate": {"services-1-": ""},
    "mail:mailbox": {"sender_name": "Alder"},
    "payments:refund": {"amount": "0.50"},
    "practices:location": {"phone": "212-555-0100"},
    "practices:settings": {"phone": "212-555-0100"},
    "schedule:add_appointment": {"repeats": "", "find": "Ana"},
    "schedule:change_repetition": {"every": "2"},
    "schedule:move_appointment": {"at": "10:00"},
    "schedule:series": {"count": "2"},
    "services:add": {"code": "9T777"},
    "services:edit": {"name": "Long talk"},
    "services:edit_client_service": {"set_payment_amount_cents": "12.00"},
    "services:edit_income_amounts": {"steps-0-amount": "21.00"},
    "services:edit_payer_rate": {"rate_cents": "141.00"},
    "staff:license": {"fee_cents": "22.50"},
}
#: By address: which form is sent before, in the same breath.
FIRST = {
    "claims:add": "claims:withdraw",
    "clients:activate": "clients:archive",
    "first_hour:resume": "first_hour:dismiss",
    "payments:delete_payment": "payments:unapply",
    "payments:refund": "payments:unapply",
    "services:restore": "services:archive",
}


def typed(address: str, fields: Fields) -> Fields:
    """The fields as a person leaves them."""
    typed = TYPED.get(address, {})
    return [(name, next((new for start, new in typed.items() if _is(name, start)), value)) for name, value in fields]


def _is(name: str, start: str) -> bool:
    return name.startswith(start) if start.endswith("-") else name == start
