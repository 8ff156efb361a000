"""Outgoing e-mail: what is to be sent, what became of it, and how the practice signs.

Invariant: one run has at most one message for a person (`message_once_in_a_run`), and a message is given to the mail
server by whoever holds its claim only. What is not known (a worker died between the server's yes and our commit) stays
`unknown` until a person decides: it is never sent again by itself. docs/adr/0006-mail-at-most-once.md.
"""

from __future__ import annotations

from django.db import models

from daysheet.clients.models import Client
from daysheet.database.models import TenantForeignKey, TenantModel


class Mailbox(TenantModel):
    """The practice's outgoing mail, one row: how messages are signed, and what the delivery job works for."""

    #: Shown before the address of the installation; empty: the practice's name.
    sender_name = models.CharField(max_length=120, blank=True)
    #: Where answers go; empty: nowhere, and the message says so.
    reply_to = models.EmailField(max_length=254, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice"], name="mailbox_one")]


class Message(TenantModel):
    """One e-mail to one person, written in the transaction of what wants it sent.

    `waiting → sending → sent | failed | given_up | unknown`; `sending → waiting` after a temporary failure, or when the
    worker died before anything was handed over; a person moves failed, given up and unknown ones on, or withdraws.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        GIVEN_UP = "given_up", "Given up"
        UNKNOWN = "unknown", "Unknown"
        WITHDRAWN = "withdrawn", "Withdrawn"

    #: A registered kind: "statement", "invoice" …
    kind = models.CharField(max_length=30)
    #: What wanted it sent: a run, or the request key of a form. With `recipient_id` the key against twice.
    run_id = models.UUIDField()
    #: The client or staff member it is for.
    recipient_id = models.UUIDField()
    #: Set where the recipient is a client: whose clients these are decides who may see the message (P1).
    client = TenantForeignKey(Client, null=True, indexed=False)
    recipient_name = models.CharField(max_length=170, blank=True)
    address = models.CharField(max_length=254)
    subject = models.CharField(max_length=120)
    body = models.TextField()
    #: [{"renderer": name, "arguments": {…}, "file_name": name}]: made when it is sent, and not kept.
    attachments = models.JSONField(default=list)
    #: One of many: waits behind what a person sends singly.
    is_bulk = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    created_by_name = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    #: Not before; moved on after a temporary failure.
    due_at = models.DateTimeField()
    #: Failures since it was queued or a person said again.
    failure_count = models.PositiveSmallIntegerField(default=0)
    #: Of the worker that has it: a later one's claim is another, and this one's last word does not count any more.
    claim_id = models.UUIDField(null=True)
    #: Committed before the last byte leaves: from here on the server may have it.
    handed_over_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "run_id", "recipient_id"], name="message_once_in_a_run"),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["waiting", "sending", "sent", "failed", "given_up", "unknown", "withdrawn"]
                ),
                name="message_state_known",
            ),
            models.CheckConstraint(
                condition=models.Q(client__isnull=True) | models.Q(client=models.F("recipient_id")),
                name="message_client_is_recipient",
            ),
            models.CheckConstraint(
                condition=models.Q(address__regex=r"^[^[:space:]<>,;]+@[^[:space:]<>,;]+$"),
                name="message_address_shape",
            ),
            models.CheckConstraint(
                # A line break in it would be another header.
                condition=models.Q(subject__regex=r"^[^\r\n]+$"),
                name="message_subject_one_line",
            ),
            models.CheckConstraint(
                condition=models.Q(state="sending", claim_id__isnull=False)
                | models.Q(state="unknown", claim_id__isnull=False, handed_over_at__isnull=False)
                | (~models.Q(state__in=["sending", "unknown"]) & models.Q(claim_id=None, handed_over_at=None)),
                name="message_claim_fits_state",
            ),
            models.CheckConstraint(
                condition=models.Q(state="sent", sent_at__isnull=False)
                | (~models.Q(state="sent") & models.Q(sent_at=None)),
                name="message_sent_has_moment",
            ),
        ]
        indexes = [
            models.Index(
                fields=["practice", "is_bulk", "due_at", "id"],
                condition=models.Q(state="waiting"),
                name="message_waiting_ix",
            ),
            models.Index(
                fields=["practice"], condition=models.Q(state__in=["sending", "unknown"]), name="message_open_ix"
            ),
            models.Index(fields=["practice", "-created_at", "-id"], name="message_created_ix"),
            models.Index(fields=["practice", "client", "-created_at"], name="message_client_ix"),
        ]


class DeliveryStep(TenantModel):
    """What happened to a message: a try of ours, or what a person decided. Append-only."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", "Accepted by the mail server"
        TEMPORARY = "temporary", "Not taken this time"
        REFUSED = "refused", "Refused"
        GAVE_UP = "gave_up", "Not taken, given up"
        UNKNOWN = "unknown", "Not known"
        AGAIN = "again", "Sent again by a person"
        MARKED_SENT = "marked_sent", "Marked as sent by a person"
        WITHDRAWN = "withdrawn", "Withdrawn by a person"

    message = TenantForeignKey(Message)
    at = models.DateTimeField()
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    #: What the mail server answered: 250, 451, 550 … Null where it said nothing.
    code = models.PositiveSmallIntegerField(null=True)
    words = models.CharField(max_length=400, blank=True)
    address = models.CharField(max_length=254)
    #: Who decided; empty for tries.
    by_name = models.CharField(max_length=120, blank=True)
    #: Digest and size of what was handed over, attachments included: to compare with a document made again.
    sha256 = models.CharField(max_length=64, blank=True)
    size_bytes = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    outcome__in=[
                        "accepted", "temporary", "refused", "gave_up", "unknown", "again", "marked_sent", "withdrawn"
                    ]
                ),
                name="delivery_step_outcome_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(outcome__in=["again", "marked_sent", "withdrawn"]) | ~models.Q(by_name=""),
                name="delivery_step_decision_has_name",
            ),
        ]  # fmt: skip
