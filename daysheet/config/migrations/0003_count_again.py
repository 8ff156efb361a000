"""The runtime role owns no table and may not ANALYZE; this function does it for it (database/statistics.py)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("config", "0002_verification")]
    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION daysheet_count_again(names text[]) RETURNS void
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
            DECLARE name text;
            BEGIN
                FOR name IN
                    SELECT relname FROM pg_class
                    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relrowsecurity
                    AND (names IS NULL OR relname = ANY (names)) ORDER BY relname
                LOOP
                    -- A table that somebody else is counting is left to them.
                    EXECUTE format('ANALYZE (SKIP_LOCKED) public.%I', name);
                END LOOP;
            END $$;
            REVOKE ALL ON FUNCTION daysheet_count_again(text[]) FROM PUBLIC;
            GRANT EXECUTE ON FUNCTION daysheet_count_again(text[]) TO daysheet_app;
            """
        )
    ]
