"""The runtime role owns no table and may not ANALYZE; this function does it for it (database/statistics.py)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("config", "0002_verification")]
    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION daysheet_count_again(names text[]) RETURNS void
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
            DECLARE name text;
            BEGIN
                FOR name IN
                    SELECT relname FROM pg_class
                    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relrowsecurity
                    AND (names IS NULL OR relname = ANY (names)) ORDER BY relname
                LOOP
                    BEGIN
                        EXECUTE format('ANALYZE public.%I', name);
                    EXCEPTION WHEN lock_not_available THEN
                        NULL; -- somebody else is counting this table
                    END;
                END LOOP;
            END $$;
            REVOKE ALL ON FUNCTION daysheet_count_again(text[]) FROM PUBLIC;
            GRANT EXECUTE ON FUNCTION daysheet_count_again(text[]) TO daysheet_app;
            """
        )
    ]
