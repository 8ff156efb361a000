from django.db import migrations, models

import daysheet.kit.ids


class Migration(migrations.Migration):
    dependencies = [("documents", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="madedocument",
            name="made_in",
            field=models.UUIDField(default=daysheet.kit.ids.new_id),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="madedocument",
            name="position",
            field=models.PositiveIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="madedocument",
            constraint=models.UniqueConstraint(fields=("practice", "made_in", "position"), name="made_document_once"),
        ),
    ]
