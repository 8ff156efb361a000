"""The secrets of the second step of signing in, plain until now, are sealed (practices/sealing.py)."""

from django.db import migrations


def _seal(apps, schema_editor):
    from daysheet.practices.sealing import seal

    Authenticator = apps.get_model("mfa", "Authenticator")
    for row in Authenticator.objects.using(schema_editor.connection.alias).select_for_update().order_by("pk"):
        plain = [
            field for field in ("secret", "seed") if row.data.get(field) and not row.data[field].startswith("sealed:")
        ]
        for field in plain:
            row.data[field] = seal(row.data[field])
        if plain:
            row.save(update_fields=["data"])


class Migration(migrations.Migration):
    dependencies = [("config", "0003_count_again"), ("mfa", "0003_authenticator_type_uniq")]
    operations = [migrations.RunPython(_seal)]
