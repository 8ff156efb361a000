"""What the runtime role may do with the tables of the libraries, and the shared cache's table."""

from daysheet.database.operations import GrantOn
from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("sessions", "0001_initial"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("procrastinate", "0041_post_retry_failed_job"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("practices", "0001_initial"),
    ]
    operations = [
        migrations.RunSQL(
            """
            CREATE TABLE shared_cache (
                cache_key varchar(255) PRIMARY KEY,
                value text NOT NULL,
                expires timestamptz NOT NULL
            );
            CREATE INDEX shared_cache_expires_ix ON shared_cache (expires);
            """
        ),
        GrantOn(
            "django_session",
            "account_emailaddress",
            "account_emailconfirmation",
            "mfa_authenticator",
            "procrastinate_workers",
            "procrastinate_jobs",
            "procrastinate_periodic_defers",
            "procrastinate_events",
            "shared_cache",
        ),
        migrations.RunSQL(
            """
            GRANT SELECT ON django_content_type, auth_permission, django_migrations TO daysheet_app;
            GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO daysheet_app;
            """
        ),
    ]
