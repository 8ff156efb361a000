"""Nothing any more: it sealed the secrets of the second step, but a restore runs migrations with keys that are thrown
away. `practices.sealing.seal_plain` does it when Daysheet starts, with the keys it starts with."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("config", "0003_count_again"), ("mfa", "0003_authenticator_type_uniq")]
    operations = []
