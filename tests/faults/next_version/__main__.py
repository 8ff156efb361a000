"""What `daysheet serve` of a later version does first."""

from daysheet.config import settings

settings.INSTALLED_APPS.append("tests.faults.next_version")

from daysheet.config.preparing import say, set_up  # noqa: E402

set_up(migrate=True)
say("The tables are those of the next version.")
