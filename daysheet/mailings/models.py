"""Documents of many clients, printed or e-mailed by one run.

The truth of what is to be done are the items, one for each client: an item is done in the very transaction that keeps
its documents and writes its e-mail, so that a killed worker loses at most a piece and nobody gets two (B5's way).
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from daysheet.clients.models import Client
from daysheet.database.models import TenantForeignKey, TenantModel
from daysheet.documents.papers import Kind
from daysheet.documents.rules import Basis

KINDS = (Kind.STATEMENT, Kind.INVOICE, Kind.SUPERBILL)


class Mailing(TenantModel):
    """A run that somebody confirmed. Its documents are MadeDocuments with its id as `made_in`, its e-mails messages
    with its id as `run_id`."""

    kind = models.CharField(max_length=10, choices=[(kind.value, kind.label) for kind in KINDS])
    #: Of statements the period, of invoices and superbills the days of creation that were searched. Both included.
    first_on = models.DateField()
    last_on = models.DateField()
    basis = models.CharField(max_length=10, choices=[(basis.value, basis.label) for basis in Basis])
    hides_zero = models.BooleanField(default=False)
    hides_insurance_only = models.BooleanField(default=False)
    #: A statement goes to who owes at least so much; zero: to everybody chosen.
    at_least_cents = models.BigIntegerField(default=0)
    #: What every e-mail of the run says, above the signature.
    email_text = models.TextField(blank=True)
    created_at = models.DateTimeField()
    created_by_name = models.CharField(max_length=120)
    created_by_staff_member_id = models.UUIDField(null=True)
    #: What the dialogue said that was confirmed: clients, and what they owe or were billed.
    expected_count = models.PositiveIntegerField()
    expected_cents = models.BigIntegerField()
    #: Every item is done, and the file made where there is one.
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["practice", "-created_at", "-id"], name="mailing_created_ix")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["statement", "invoice", "superbill"]), name="mailing_kind_known"
            ),
            models.CheckConstraint(condition=models.Q(basis__in=["service", "invoice"]), name="mailing_basis_known"),
            models.CheckConstraint(condition=models.Q(at_least_cents__gte=0), name="mailing_at_least_not_negative"),
            models.CheckConstraint(
                condition=models.Q(last_on__gte=models.F("first_on")), name="mailing_period_in_order"
            ),
        ]


class MailingItem(TenantModel):
    """One client of a run. Done when `done_at` is set, with what came of it."""

    class Way(models.TextChoices):
        PRINT = "print", "Print"
        EMAIL = "email", "E-mail"

    class Outcome(models.TextChoices):
        MADE = "made", "Made"
        SKIPPED = "skipped", "Skipped"

    mailing = TenantForeignKey(Mailing, indexed=False)
    client = TenantForeignKey(Client, indexed=False)
    #: Its place in the file, by name.
    position = models.PositiveIntegerField()
    way = models.CharField(max_length=5, choices=Way.choices)
    #: Of invoices and superbills.
    invoice_ids = ArrayField(models.UUIDField(), default=list)
    done_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=7, choices=Outcome.choices, blank=True, default="")
    #: Why it was skipped.
    code = models.CharField(max_length=40, blank=True, default="")
    words = models.CharField(max_length=400, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "mailing", "client"], name="mailing_item_client_once"),
            models.UniqueConstraint(fields=["practice", "mailing", "position"], name="mailing_item_position_once"),
            models.CheckConstraint(condition=models.Q(way__in=["print", "email"]), name="mailing_item_way_known"),
            models.CheckConstraint(
                condition=models.Q(outcome="", done_at__isnull=True)
                | models.Q(outcome__in=["made", "skipped"], done_at__isnull=False),
                name="mailing_item_done_has_outcome",
            ),
            models.CheckConstraint(
                condition=models.Q(outcome="skipped") ^ models.Q(code=""), name="mailing_item_skipped_has_reason"
            ),
        ]
        indexes = [
            models.Index(
                fields=["practice", "mailing", "position"],
                condition=models.Q(done_at__isnull=True),
                name="mailing_item_left_ix",
            ),
        ]


class MailingFile(TenantModel):
    """The one PDF of a run's printed documents, in the data folder under a name that nobody can guess. It can be made
    again from the documents, so it is removed after some days."""

    mailing = TenantForeignKey(Mailing, indexed=False)
    key = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    size_bytes = models.BigIntegerField()
    page_count = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "mailing"], condition=models.Q(removed_at__isnull=True), name="mailing_file_one"
            ),
            models.CheckConstraint(
                condition=models.Q(key__regex=r"^[A-Za-z0-9_-]{32,}$"), name="mailing_file_key_shape"
            ),
            models.CheckConstraint(condition=models.Q(size_bytes__gte=1), name="mailing_file_not_empty"),
        ]
