import daysheet.database.models
import daysheet.database.scope
import daysheet.kit.ids
import django.contrib.postgres.fields
import django.db.models.deletion
from daysheet.database.operations import GrantOn, TenantTable
from django.db import migrations, models

#: A rate with an end becomes two steps: the second says that there is none. One that follows at once is that end.
_ENDS_BECOME_STEPS = """
    INSERT INTO services_payerrate (practice_id, id, payer_id, service_type_id, rate_cents, starts_on)
    SELECT r.practice_id, gen_random_uuid(), r.payer_id, r.service_type_id, NULL, r.ends_on FROM services_payerrate r
    WHERE r.ends_on IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM services_payerrate n WHERE n.practice_id = r.practice_id AND n.payer_id = r.payer_id
        AND n.service_type_id = r.service_type_id AND n.starts_on = r.ends_on)
"""


def _practice():
    return daysheet.database.models.SharedForeignKey(
        db_constraint=False,
        db_index=False,
        default=daysheet.database.scope.current_practice_id,
        editable=False,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to="practices.practice",
    )


def _key(to, **options):
    return daysheet.database.models.TenantForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to=to,
        **options,
    )


def _id():
    return models.UUIDField(default=daysheet.kit.ids.new_id, editable=False, primary_key=True, serialize=False)


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0002_client_income"),
        ("practices", "0001_initial"),
        ("services", "0002_canceled_fee"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="payerrate", name="payer_rate_not_negative"),
        migrations.RemoveConstraint(model_name="payerrate", name="payer_rate_ends_after_start"),
        migrations.AlterField(
            model_name="payerrate",
            name="rate_cents",
            field=models.BigIntegerField(null=True),
        ),
        migrations.RunSQL(_ENDS_BECOME_STEPS),
        migrations.RemoveField(model_name="payerrate", name="ends_on"),
        migrations.AddConstraint(
            model_name="payerrate",
            constraint=models.CheckConstraint(
                condition=models.Q(("rate_cents__isnull", True), ("rate_cents__gte", 0), _connector="OR"),
                name="payer_rate_not_negative",
            ),
        ),
        GrantOn("services_payerrate"),
        migrations.CreateModel(
            name="IncomeScale",
            fields=[
                ("id", _id()),
                ("starts_on", models.DateField()),
                (
                    "period",
                    models.CharField(choices=[("year", "Yearly"), ("month", "Monthly")], default="year", max_length=5),
                ),
                ("practice", _practice()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("practice", "starts_on"), name="income_scale_start_once"),
                    models.CheckConstraint(
                        condition=models.Q(("period__in", ["year", "month"])), name="income_scale_period_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IncomeStep",
            fields=[
                ("id", _id()),
                ("household_from", models.SmallIntegerField(default=1)),
                ("income_from_cents", models.BigIntegerField()),
                ("amount_cents", models.BigIntegerField(null=True)),
                ("practice", _practice()),
                ("scale", _key("services.incomescale", indexed=False)),
                ("service_type", _key("services.servicetype", null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("practice", "scale", "service_type", "household_from", "income_from_cents"),
                        name="income_step_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("household_from__range", (1, 30))), name="income_step_household_sane"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("income_from_cents__gte", 0)), name="income_step_from_not_negative"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_cents__isnull", True), ("amount_cents__gte", 0), _connector="OR"),
                        name="income_step_amount_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PayerRule",
            fields=[
                ("id", _id()),
                ("place_of_service", models.CharField(blank=True, max_length=2)),
                ("starts_on", models.DateField()),
                (
                    "added_modifiers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=2), default=list, size=None
                    ),
                ),
                ("billed_place_of_service", models.CharField(blank=True, max_length=2)),
                ("is_end", models.BooleanField(default=False)),
                ("payer", _key("clients.payer", indexed=False)),
                ("practice", _practice()),
                ("service_type", _key("services.servicetype", null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("practice", "payer", "service_type", "place_of_service", "starts_on"),
                        name="payer_rule_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("place_of_service__regex", "^([0-9]{2})?$"),
                            ("billed_place_of_service__regex", "^([0-9]{2})?$"),
                        ),
                        name="payer_rule_places_digits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("added_modifiers__len__lte", 4)), name="payer_rule_modifiers_fit"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("is_end", False),
                            models.Q(("added_modifiers", []), ("billed_place_of_service", "")),
                            _connector="OR",
                        ),
                        name="payer_rule_end_says_nothing",
                    ),
                ],
            },
        ),
        TenantTable("IncomeScale", update=True, delete=True),
        TenantTable("IncomeStep", delete=True),
        TenantTable("PayerRule", delete=True),
    ]
