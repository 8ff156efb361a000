"""A column more in a table that every batch locks: the change needs the table for itself for a moment."""

from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL("ALTER TABLE clients_client ADD COLUMN of_next_version text NOT NULL DEFAULT ''"),
    ]
