"""Log lines without the secrets of addresses: whoever reads the log must not be able to open what they open."""

from __future__ import annotations

import logging
import re

#: What comes before a secret in an address: a calendar feed, an invitation, a new password.
_SECRET = re.compile(r"((?:/calendar/feeds|/join|/account/password/reset/key)/)[^/\s?\"']+")


class HideSecrets(logging.Filter):
    """Puts `…` in the place of each secret, in the message and in what it was made of."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True: nothing is left out but the secrets."""
        message = record.getMessage()
        hidden = _SECRET.sub(r"\1…", message)
        if hidden != message:
            record.msg, record.args = hidden, ()
        return True
