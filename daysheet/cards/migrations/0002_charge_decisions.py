"""What became of a charge whose outcome the processor does not tell: asked again, or decided by somebody."""

import daysheet.database.models
import daysheet.database.scope
import daysheet.kit.ids
import django.db.models.deletion
from django.db import migrations, models

from daysheet.database.operations import TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("cards", "0001_initial"),
        ("practices", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChargeDecision",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=daysheet.kit.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "outcome",
                    models.CharField(choices=[("not_charged", "Not charged"), ("charged", "Charged")], max_length=11),
                ),
                ("reference", models.CharField(blank=True, max_length=200)),
                ("received_on", models.DateField(null=True)),
                ("reason", models.CharField(max_length=400)),
                ("decided_at", models.DateTimeField()),
                ("decided_by_name", models.CharField(max_length=120)),
                (
                    "charge",
                    daysheet.database.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        indexed=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="cards.charge",
                    ),
                ),
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
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("practice", "charge"), name="charge_decided_once"),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="charge_decision_has_reason"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("outcome", "not_charged"), ("received_on__isnull", True), ("reference", "")),
                            models.Q(
                                ("outcome", "charged"),
                                ("received_on__isnull", False),
                                models.Q(("reference", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="charge_decision_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ChargeInquiry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=daysheet.kit.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("asked_by_name", models.CharField(max_length=120)),
                ("answered_at", models.DateTimeField(null=True)),
                ("answer", models.CharField(blank=True, max_length=200)),
                (
                    "charge",
                    daysheet.database.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="cards.charge",
                    ),
                ),
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
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answer", ""), ("answered_at__isnull", True)),
                            models.Q(("answered_at__isnull", False), models.Q(("answer", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="charge_inquiry_answered",
                    )
                ],
            },
        ),
        TenantTable("ChargeDecision"),
        TenantTable("ChargeInquiry", update=("answered_at", "answer")),
    ]
