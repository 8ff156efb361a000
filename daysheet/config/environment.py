"""What Django's settings take from the environment. docs/configuration.md explains every variable; a test compares."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from daysheet.backup.restoring import Place
from daysheet.backup.rules import retention_from
from daysheet.backup.scheduled import Schedule
from daysheet.kit.numbers import whole_number


def home() -> Path:
    """The data folder, absolute."""
    return Path(os.environ.get("DAYSHEET_HOME") or ".daysheet").absolute()


def flag(name: str) -> bool:
    """Whether an environment variable is switched on."""
    return os.environ.get(name, "") in {"1", "true", "yes", "on"}


def hosts() -> list[str]:
    """Host names this installation answers to."""
    named = os.environ.get("DAYSHEET_HOSTS", "")
    return [host.strip() for host in named.split(",") if host.strip()] or ["localhost", "127.0.0.1", "[::1]"]


def secret_key() -> str:
    """The signing key: from the environment, else kept in the data folder (mode 0600), made once."""
    return _kept_key(os.environ.get("DAYSHEET_SECRET_KEY"), "secret-key")


def card_key() -> str:
    """The key under which card processors' secrets are sealed: apart from the signing key, kept in the same way."""
    return _kept_key(os.environ.get("DAYSHEET_CARD_KEY"), "card-key")


def sign_in_key() -> str:
    """The key under which the secrets of the second step of signing in are sealed, kept in the same way."""
    return _kept_key(os.environ.get("DAYSHEET_SIGN_IN_KEY"), "sign-in-key")


def old_keys() -> list[str]:
    """Keys of either kind that were in use before, newest first: they open, and seal nothing any more."""
    return [key.strip() for key in os.environ.get("DAYSHEET_OLD_KEYS", "").split(",") if key.strip()]


def backup_schedule() -> Schedule | None:
    """Where scheduled backups go; None where none are taken."""
    folder = os.environ.get("DAYSHEET_BACKUP_FOLDER")
    if not folder:
        return None
    passphrase_file = os.environ.get("DAYSHEET_BACKUP_PASSPHRASE_FILE")
    try:
        retention = retention_from(os.environ.get("DAYSHEET_BACKUP_KEEP") or "7,4,12")
    except ValueError as error:
        raise ImproperlyConfigured(f"DAYSHEET_BACKUP_KEEP is three numbers, such as 7,4,12: {error}") from error
    return Schedule(Path(folder).absolute(), passphrase_in(passphrase_file) if passphrase_file else None, retention)


def backup_place() -> Place:
    """What is backed up."""
    owner = os.environ.get("DATABASE_OWNER_URL") or ""
    return Place(owner, os.environ.get("DATABASE_URL") or owner, home())


def passphrase_in(file: str) -> str:
    """The first line of a passphrase file. Raises ImproperlyConfigured where there is none."""
    try:
        first = Path(file).read_text(encoding="utf-8").splitlines()[:1]
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"The passphrase file {file} cannot be read: {error}") from error
    if not first or not first[0].strip():
        raise ImproperlyConfigured(f"The passphrase file {file} is empty: a passphrase is its first line.")
    return first[0].strip()


def metrics_token() -> str:
    """What Prometheus shows to read the metrics; empty: nobody reads them."""
    return os.environ.get("DAYSHEET_METRICS_TOKEN") or ""


def log_kind() -> str:
    """`text` for people, `json` for machines."""
    kind = os.environ.get("DAYSHEET_LOG") or "text"
    if kind not in {"text", "json"}:
        raise ImproperlyConfigured("DAYSHEET_LOG is text or json.")
    return kind


def card_simulator_url() -> str:
    """Where the simulated card processor listens."""
    return os.environ.get("DAYSHEET_CARD_SIMULATOR") or "http://127.0.0.1:8791"


def _kept_key(given: str | None, file_name: str) -> str:
    if given:
        return given
    path = home() / file_name
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        home().mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(key := secrets.token_urlsafe(50))
    return key


def databases() -> dict[str, Any]:
    """The runtime connection `default` and the owner's, which only migrates. `daysheet` fills the two variables in
    for the embedded server before settings are read."""
    runtime = os.environ.get("DATABASE_URL") or "postgresql://daysheet_app@127.0.0.1:1/daysheet"
    owner = os.environ.get("DATABASE_OWNER_URL") or runtime
    return {"default": _database(runtime, _pool()), "owner": _database(owner, {})}


def _pool() -> dict[str, Any]:
    most = whole_number(os.environ.get("DAYSHEET_POOL") or "0", most=1_000)
    if most is None:
        raise ImproperlyConfigured("DAYSHEET_POOL is a number of connections; 0: no pool.")
    return {"pool": {"min_size": 1, "max_size": most, "timeout": 10}} if most else {}


def _database(url: str, options: dict[str, Any]) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured("DATABASE_URL must begin with postgresql:// (Daysheet runs on PostgreSQL only)")
    return {
        "ENGINE": "daysheet.database.backend",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        # What follows the question mark is for the connection: sslmode, sslrootcert, application_name …
        "OPTIONS": {**dict(parse_qsl(parts.query)), **options},
        "DISABLE_SERVER_SIDE_CURSORS": True,
        # A connection of the pool is tried before it is given out: after a restart of PostgreSQL all of them are dead.
        "CONN_HEALTH_CHECKS": "pool" in options,
        "ATOMIC_REQUESTS": False,
        "TIME_ZONE": "UTC",
    }


def from_address() -> str:
    """The sender of all e-mail; practices put a name of their own before it."""
    return os.environ.get("DAYSHEET_EMAIL_FROM") or "Daysheet <no-reply@localhost>"


def email() -> dict[str, Any]:
    """Django's e-mail settings: SMTP where an address is given, else files in the data folder."""
    url = os.environ.get("DAYSHEET_EMAIL_URL", "")
    if not url:
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "EMAIL_FILE_PATH": str(home() / "outbox"),
        }
    parts = urlsplit(url)
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or 25,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
    }
