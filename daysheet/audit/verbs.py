"""Every verb that an audit event may have, in the words of the Activity Log. A test compares it with the code."""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):
    """`label` reads after a name; `is_money`: amounts of clients stand in its details, shown with Billing only (P2)."""

    label: str
    is_money: bool = False


VERBS: dict[str, Verb] = {
    "add_exclusion": Verb("added an exclusion rule to automation"),
    "begin_night": Verb("began a night's automation"),
    "end_exclusion": Verb("ended an exclusion rule of automation"),
    "finish_night": Verb("finished a night's automation"),
    "resume_guide": Verb("came back to the guide of the first hour"),
    "skip_guide": Verb("skipped a part of the guide of the first hour"),
    "save_automation": Verb("changed the settings of automation"),
    "accept_invitation": Verb("accepted an invitation"),
    "accept_insurance_payment": Verb("accepted an insurance payment", is_money=True),
    "accept_payment": Verb("accepted a payment", is_money=True),
    "change_responsibility": Verb("changed responsibility", is_money=True),
    "edit_line": Verb("changed an invoice line", is_money=True),
    "edit_payment": Verb("corrected a payment's facts", is_money=True),
    "refund_payment": Verb("refunded a payment", is_money=True),
    "remove_write_off": Verb("took a write-off back", is_money=True),
    "reverse_payment": Verb("deleted a payment by reversal", is_money=True),
    "unapply_payment": Verb("unapplied a payment", is_money=True),
    "void_and_rebill": Verb("voided and rebilled", is_money=True),
    "write_off": Verb("wrote off", is_money=True),
    "activate_client": Verb("made a client active"),
    "add_appointment": Verb("added an appointment"),
    "add_billing_note": Verb("added a billing note"),
    "add_client": Verb("added a client"),
    "add_coverage": Verb("added a coverage"),
    "add_diagnosis": Verb("added a diagnosis"),
    "add_location": Verb("added a location"),
    "add_payer": Verb("added an insurer"),
    "add_income_scale": Verb("added Income Based Payment Amounts"),
    "add_payer_rule": Verb("added an insurer's rule on modifiers or place of service"),
    "copy_fee_schedule": Verb("copied a fee schedule", is_money=True),
    "edit_income_scale": Verb("changed Income Based Payment Amounts"),
    "edit_payer_rate": Verb("corrected an insurer's rate", is_money=True),
    "end_payer_rule": Verb("ended an insurer's rule on modifiers or place of service"),
    "remove_income_scale": Verb("removed Income Based Payment Amounts"),
    "remove_payer_rate": Verb("removed an insurer's rate", is_money=True),
    "remove_payer_rule": Verb("removed an insurer's rule on modifiers or place of service"),
    "add_payer_rate": Verb("added an insurer's rate", is_money=True),
    "add_series": Verb("added a series of appointments"),
    "add_service_type": Verb("added a service type"),
    "add_staff_member": Verb("added a staff member"),
    "apply_credit": Verb("applied credit", is_money=True),
    "apply_insurance_credit": Verb("applied an insurer's credit", is_money=True),
    "apply_prepayment": Verb("had a prepayment apply itself", is_money=True),
    "archive_client": Verb("archived a client"),
    "archive_service_type": Verb("archived a service type"),
    "assign_license": Verb("assigned a CPT license"),
    "assign_staff": Verb("assigned staff to a client"),
    "connect_processor": Verb("connected a card processor"),
    "cancel_appointments": Verb("canceled appointments"),
    "close_day": Verb("closed a day", is_money=True),
    "continue_batch": Verb("continued a batch of invoices that had stopped", is_money=True),
    "queue_claim": Verb("added a claim to those awaiting submission", is_money=True),
    "withdraw_claim": Verb("took a claim back"),
    "remove_card": Verb("removed a stored card"),
    "request_card_refund": Verb("asked for a refund to a card", is_money=True),
    "settle_card_refund": Verb("heard of a refund to a card", is_money=True),
    "ask_processor": Verb("had the card processor asked about a charge"),
    "decide_charge": Verb("said what became of a card charge", is_money=True),
    "contradict_charge": Verb("heard that a charge marked as charged was not", is_money=True),
    "settle_charge": Verb("heard of a card charge", is_money=True),
    "settle_dispute": Verb("heard of a chargeback", is_money=True),
    "start_card_setup": Verb("opened the processor's page for a card"),
    "start_charges": Verb("started card charges", is_money=True),
    "store_card": Verb("stored a card"),
    "correct_license": Verb("corrected a CPT license"),
    "create_practice": Verb("created the practice"),
    "demo_begun": Verb("began loading the demo"),
    "demo_done": Verb("finished loading the demo"),
    "edit_appointment": Verb("changed an appointment"),
    "edit_client": Verb("changed a client"),
    "edit_document_settings": Verb("changed how documents look"),
    "edit_coverage": Verb("changed a coverage"),
    "edit_location": Verb("changed a location"),
    "edit_mailbox": Verb("changed how e-mail is signed"),
    "edit_payer": Verb("changed an insurer"),
    "edit_practice": Verb("changed the settings"),
    "edit_series": Verb("changed a series of appointments"),
    "edit_service_type": Verb("changed a service type"),
    "edit_staff_member": Verb("changed a staff member"),
    "end_diagnosis": Verb("ended a diagnosis"),
    "end_payer_rate": Verb("ended an insurer's rate", is_money=True),
    "extend_series": Verb("let a series of appointments go on"),
    "give_estimate": Verb("gave a Good Faith Estimate"),
    "note_estimate_request": Verb("noted that an estimate was asked for"),
    "give_login": Verb("gave a login"),
    "import_file": Verb("imported a file"),
    "invite_staff_member": Verb("invited a staff member"),
    "issue_invoice": Verb("created an invoice", is_money=True),
    "move_appointment": Verb("moved an appointment"),
    "mark_message_sent": Verb("marked an e-mail as sent"),
    "make_document": Verb("made a document"),
    "move_diagnosis_up": Verb("moved a diagnosis up"),
    "record_income": Verb("recorded a client's income"),
    "take_income_back": Verb("took a client's income back"),
    "remove_logo": Verb("removed the logo"),
    "renew_license": Verb("renewed a CPT license"),
    "restore_service_type": Verb("restored a service type"),
    "send_message_again": Verb("had an e-mail sent again"),
    "send_test_message": Verb("sent a test message"),
    "set_bill_to": Verb("changed who is billed"),
    "set_cancellation_policy": Verb("changed the cancellation policy"),
    "set_fee_services": Verb("chose the fees for missed visits"),
    "set_client_service": Verb("changed a client's services", is_money=True),
    "set_cpt_access": Verb("turned CPT Code Access on or off"),
    "set_password": Verb("set a password on the command line"),
    "set_status": Verb("changed a visit's status"),
    "start_batch": Verb("started a batch of invoices", is_money=True),
    "unassign_staff": Verb("took staff off a client"),
    "undo_batch": Verb("undid a batch of invoices", is_money=True),
    "verify_books": Verb("verified the books"),
    "upload_logo": Verb("uploaded a logo"),
    "update_billing_note": Verb("updated a billing note"),
    "void_invoice": Verb("voided an invoice", is_money=True),
    "withdraw_message": Verb("withdrew an e-mail"),
    "withdraw_invitation": Verb("withdrew an invitation"),
}


def label_of(verb: str) -> str:
    """The words for a verb; an old one that the code no longer has reads as it was stored."""
    known = VERBS.get(verb)
    return known.label if known else verb.replace("_", " ")


def is_money(verb: str) -> bool:
    """Whether the details of a verb are for people with Billing only; of an unknown verb they are."""
    known = VERBS.get(verb)
    return known is None or known.is_money
