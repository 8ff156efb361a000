"""Which methods each address answers to. Everything else is a 405, for everybody."""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Pages and files: GET and HEAD.
READ = _names(
    """
    audit:activity_log audit:record_views automation:automation automation:dry_run automation:night
    cards:card_refund cards:charge
    cards:charge_run cards:history claims:list clients:bill_to clients:details clients:insurer clients:insurers
    clients:list clients:search documents:client_documents documents:client_estimates documents:document
    documents:document_pdf documents:logo documents:made_together documents:made_together_pdf
    documents:owed_estimates first_hour:guide help:index help:page help:picture imports:preview imports:template
    invoicing:batch_edit invoicing:batch_history invoicing:batch_run invoicing:invoice invoicing:unbilled
    mail:attachment mail:delivery_log mail:message mailings:file mailings:invoice_history mailings:run
    mailings:statement_history payments:entries payments:insurer_entries payments:ledger payments:payment
    payments:payment_entries
    payments:write_offs practices:locations practices:my_account reports:aging_lines reports:collections
    reports:credits reports:day_sheet reports:entries reports:index reports:invoice_aging reports:payment_methods
    reports:payments reports:unbilled schedule:agenda schedule:calendar schedule:client_appointments schedule:feed
    services:income_amounts services:list services:payer_prices services:priced_payers staff:details staff:licenses
    staff:licenses_csv staff:list
    """
)
#: Buttons without a page of their own: POST.
SENT = _names(
    """
    cards:ask cards:look cards:retry cards:webhook claims:add claims:withdraw clients:activate clients:archive
    clients:move_diagnosis_up clients:unassign_staff documents:remove_logo first_hour:dismiss first_hour:resume
    first_hour:skip imports:confirm invoicing:continue_batch invoicing:retry_batch mail:mark_sent mail:send_again
    mail:send_test mail:withdraw mailings:continue mailings:remake_file mailings:send_failed mailings:stop_sending
    reports:close_day schedule:stop_calendar_feed schedule:stop_feed_of services:archive
    services:remove_client_service services:restore staff:cpt_access staff:invite staff:withdraw_invitation
    """
)
#: Pages with a form that is sent to the same address: GET, HEAD and POST.
FORMS = _names(
    """
    automation:add_rule automation:edit automation:end_rule cards:charge_cards cards:charge_client
    cards:client_cards cards:mark_charged cards:mark_not_charged cards:mark_not_refunded cards:mark_refunded
    cards:processor cards:refund cards:remove
    clients:add clients:add_coverage clients:add_diagnosis clients:add_insurer clients:assign_staff clients:edit
    clients:edit_bill_to clients:edit_coverage clients:edit_insurer clients:end_coverage clients:end_diagnosis
    clients:record_income clients:take_income_back documents:estimate documents:give_estimate
    documents:invoice_superbill documents:invoices documents:look documents:print_invoice documents:receipt
    documents:receipts documents:request_estimate documents:statement documents:superbill documents:upload_logo
    first_hour:step imports:upload invoicing:add_group_invoices invoicing:add_invoice invoicing:batch
    invoicing:new_invoice invoicing:undo_batch invoicing:visit_price invoicing:void_invoice mail:mailbox
    mailings:batch_statements mailings:email_document mailings:email_together mailings:existing_invoices
    payments:accept_payment payments:add_note payments:apply_credit payments:apply_insurance_credit
    payments:apply_payment payments:batch_payments payments:change_responsibility payments:delete_payment
    payments:edit_line payments:edit_payment payments:insurance_payment payments:refund payments:remove_write_off
    payments:unapply payments:update_note payments:void_and_rebill payments:write_off practices:add_location
    practices:location practices:settings practices:sign_in_rules schedule:add_appointment
    schedule:appointment schedule:calendar_feed
    schedule:cancel_appointment schedule:cancellation_policy schedule:change_repetition
    schedule:change_status schedule:move_appointment
    schedule:series services:add services:add_client_service services:add_income_amounts services:add_payer_rate
    services:add_payer_rule services:copy_fee_schedule services:edit services:edit_client_service
    services:edit_income_amounts services:edit_payer_rate services:end_payer_rate services:end_payer_rule
    services:remove_income_amounts services:remove_payer_rate services:remove_payer_rule staff:add
    staff:assign_license staff:edit staff:join staff:license
    """
)


def is_listed(name: str, method: str) -> bool:
    """Whether the address answers to GET, HEAD or POST."""
    return name in FORMS or name in (SENT if method == "post" else READ)


#: Outside a practice: what an anonymous visitor gets, then a person who is signed in, for GET and for an empty POST.
#: `in`: to the sign-in page; `page`; `on`: sent to another page; `again`: the password is asked for once more first.
OUTSIDE = {
    "home": "in in on on",
    "health_live": "page 405 page 405",
    "health_ready": "page 405 page 405",
    "metrics": "404 405 404 405",
    "welcome": "404 404 404 404",
    "account_email": "in in on on",
    "account_login": "page page on on",
    "account_logout": "in in page in",
    "account_inactive": "page 405 page 405",
    "account_signup": "page page on on",
    "account_reauthenticate": "in in page page",
    "account_email_verification_sent": "page 405 page 405",
    "account_change_password": "in in page page",
    "account_set_password": "in in on on",
    "account_reset_password": "page page page page",
    "account_confirm_login_code": "in in on on",
    "account_confirm_email": "page 404 page 404",
    "account_reset_password_from_key_done": "page 405 page 405",
    "account_reset_password_from_key": "page page page page",
    "account_reset_password_done": "page 405 page 405",
    "mfa_index": "in in page 405",
    "mfa_authenticate": "in in on on",
    "mfa_reauthenticate": "in in again again",
    "mfa_activate_totp": "in in again again",
    "mfa_deactivate_totp": "in in 404 404",
    "mfa_view_recovery_codes": "in in 404 405",
    "mfa_generate_recovery_codes": "in in again again",
    "mfa_download_recovery_codes": "in in 404 404",
    "mfa_list_webauthn": "in in page 405",
    "mfa_add_webauthn": "in in again again",
    "mfa_reauthenticate_webauthn": "in in again again",
    "mfa_remove_webauthn": "in in again again",
    "mfa_edit_webauthn": "in in again again",
    "mfa_login_webauthn": "in in on on",
}
