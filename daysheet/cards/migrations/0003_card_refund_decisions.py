"""What became of a refund of which the processor tells nothing, decided by somebody."""

import daysheet.database.models
import daysheet.database.scope
import daysheet.kit.ids
import django.db.models.deletion
from django.db import migrations, models

from daysheet.database.operations import TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("cards", "0002_charge_decisions"),
        ("practices", "0001_initial"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="cardrefundstep", name="card_refund_state_known"),
        migrations.AddConstraint(
            model_name="cardrefundstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["requested", "unknown", "not_made", "refunded", "failed"])),
                name="card_refund_state_known",
            ),
        ),
        migrations.CreateModel(
            name="CardRefundDecision",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=daysheet.kit.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[("refunded", "Refunded"), ("not_refunded", "Not refunded")], max_length=12
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=200)),
                ("reason", models.CharField(max_length=400)),
                ("decided_at", models.DateTimeField()),
                ("decided_by_name", models.CharField(max_length=120)),
                (
                    "practice",
                    daysheet.database.models.SharedForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=daysheet.database.scope.current_practice_id,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="practices.practice",
                    ),
                ),
                (
                    "refund",
                    daysheet.database.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        indexed=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="cards.cardrefund",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("practice", "refund"), name="card_refund_decided_once"),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="card_refund_decision_reason"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("outcome", "not_refunded"), ("reference", "")),
                            models.Q(("outcome", "refunded"), models.Q(("reference", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="card_refund_decision_known",
                    ),
                ],
            },
        ),
        TenantTable("CardRefundDecision"),
    ]
