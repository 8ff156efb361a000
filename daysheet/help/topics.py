"""Which page of the guide explains which page of the application. A test opens each: a page that is gone fails."""

from __future__ import annotations

#: {URL name, or a namespace for all its pages: page of docs/guide}. A name goes before its namespace.
TOPICS: dict[str, str] = {
    "first_hour": "first-hour",
    "automation": "automation",
    "imports": "import",
    # The schedule
    "schedule": "schedule",
    "schedule:series": "series-and-groups",
    "schedule:add_appointment": "series-and-groups",
    # The three doors
    "schedule:agenda": "invoice-from-agenda",
    "invoicing:add_group_invoices": "invoice-from-agenda",
    "invoicing:new_invoice": "new-invoice",
    "invoicing": "batch-invoicing",
    # Money in
    "payments": "client-payments",
    "payments:insurance_payment": "insurance-payments",
    "payments:batch_payments": "insurance-payments",
    "payments:apply_insurance_credit": "insurance-payments",
    "clients:insurers": "insurance-payments",
    "clients:insurer": "insurance-payments",
    "payments:insurer_entries": "insurance-payments",
    "cards": "client-payments",
    # Money corrected
    "invoicing:invoice": "corrections",
    "invoicing:void_invoice": "corrections",
    "payments:payment": "corrections",
    "payments:write_offs": "corrections",
    "payments:write_off": "corrections",
    "payments:remove_write_off": "corrections",
    "payments:change_responsibility": "corrections",
    "payments:edit_line": "corrections",
    "payments:edit_payment": "corrections",
    "payments:unapply": "corrections",
    "payments:refund": "corrections",
    "payments:delete_payment": "corrections",
    "payments:void_and_rebill": "corrections",
    "cards:refund": "corrections",
    # Paper and mail
    "documents": "documents",
    "documents:owed_estimates": "good-faith-estimates",
    "documents:client_estimates": "good-faith-estimates",
    "documents:give_estimate": "good-faith-estimates",
    "documents:request_estimate": "good-faith-estimates",
    "documents:estimate": "good-faith-estimates",
    "mailings": "sending",
    "mail": "sending",
    # Prices and licenses
    "services": "prices",
    "invoicing:visit_price": "prices",
    "clients:bill_to": "prices",
    "clients:edit_bill_to": "prices",
    "clients:record_income": "prices",
    "staff": "staff",
    "clients:assign_staff": "staff",
    "practices:sign_in_rules": "staff",
    "staff:licenses": "licenses",
    "staff:license": "licenses",
    "staff:assign_license": "licenses",
    "staff:cpt_access": "licenses",
    "reports": "reports",
}


def topic_of(url_name: str) -> str | None:
    """The page for an address of the application; None where the guide has none yet."""
    return TOPICS.get(url_name) or TOPICS.get(url_name.partition(":")[0])
