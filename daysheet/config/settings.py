"""Django's settings. Everything that differs between installations comes from `environment`."""

from __future__ import annotations

import sys
from pathlib import Path

from csp.constants import NONE, SELF

from daysheet.operations import logs

from . import environment

PACKAGE = Path(__file__).resolve().parent.parent
TESTING = "pytest" in sys.modules or environment.flag("DAYSHEET_TESTING")
DEBUG = environment.flag("DAYSHEET_DEBUG")
HTTPS = environment.flag("DAYSHEET_HTTPS")

SECRET_KEY = environment.secret_key()
CARD_KEY = environment.card_key()
SIGN_IN_KEY = environment.sign_in_key()
OLD_KEYS = environment.old_keys()
CARD_SIMULATOR_URL = environment.card_simulator_url()
BACKUP_SCHEDULE = environment.backup_schedule()
BACKUP_PLACE = environment.backup_place()
ALLOWED_HOSTS = environment.hosts()
ROOT_URLCONF = "daysheet.config.urls"
WSGI_APPLICATION = "daysheet.config.wsgi.application"
AUTH_USER_MODEL = "practices.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "template_partials",
    "csp",
    "procrastinate.contrib.django",
    "daysheet.database",
    "daysheet.practices",
    "daysheet.audit",
    "daysheet.web",
    "daysheet.help",
    "daysheet.jobs",
    "daysheet.ledger",
    "daysheet.staff",
    "daysheet.clients",
    "daysheet.mail",
    "daysheet.services",
    "daysheet.schedule",
    "daysheet.invoicing",
    "daysheet.payments",
    "daysheet.cards",
    "daysheet.claims",
    "daysheet.automation",
    "daysheet.reports",
    "daysheet.documents",
    "daysheet.mailings",
    "daysheet.imports",
    "daysheet.first_hour",
    "daysheet.backup",
    "daysheet.operations",
    "daysheet.config",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "daysheet.web.middleware.request_id",
    "daysheet.operations.logs.log_request",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "daysheet.web.middleware.known_methods_only",
    "daysheet.web.middleware.readable_only",
    "daysheet.staff.middleware.PracticeMiddleware",
    "daysheet.web.middleware.words_for_wrong_method",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Before the applications' own: our pages for signing in replace allauth's.
        "DIRS": [PACKAGE / "web" / "templates", PACKAGE / "practices" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "daysheet.web.context.shell",
            ],
            "builtins": ["daysheet.web.templatetags.daysheet", "template_partials.templatetags.partials"],
        },
    }
]

DATABASES = environment.databases()
# Counts of who asks too often, two minutes each. Where there are more than so many, counts that still hold are thrown
# away to make room: nobody alone must come near it.
SHARED_CACHE = {
    "BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "shared_cache",
    "OPTIONS": {"MAX_ENTRIES": 10_000},
}  # fmt: skip
CACHES = {"default": SHARED_CACHE}
if TESTING:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# Sign-in: e-mail and password, optional TOTP, passkeys and recovery codes.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "daysheet.practices.adapter.AccountAdapter"
ACCOUNT_FORMS = {"login": "daysheet.practices.forms.LoginForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = False
MFA_ADAPTER = "daysheet.practices.adapter.MfaAdapter"
MFA_FORMS = {
    "authenticate": "daysheet.practices.forms.AuthenticateForm",
    "reauthenticate": "daysheet.practices.forms.ReauthenticateForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Daysheet"
# Logins are made from invitations and by owners, never by strangers: there is no unproven address to hijack.
MFA_ALLOW_UNVERIFIED_EMAIL = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# Attempts are counted by sender: behind the proxy by the address that it names, else everybody would be one.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if HTTPS else 0
if not HTTPS:
    MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True

SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "daysheet.web.errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
# A batch search of a large practice posts one field a ticked date of service.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200_000

#: Where uploads wait for their confirmation.
DATA_FOLDER = environment.home()

STATIC_URL = "static/"
STATICFILES_DIRS: list[Path] = []
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # unique by Lower(email), which the check does not see

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
USE_I18N = False
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"  # web/templates/django/forms goes before Django's own

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
PROCRASTINATE_ON_APP_READY = "daysheet.jobs.queue.on_app_ready"

globals().update(environment.email())
DEFAULT_FROM_EMAIL = environment.from_address()
#: Of each command of a mail server; what it may take to accept a message stands in `mail.transport`.
EMAIL_TIMEOUT = 20

METRICS_TOKEN = environment.metrics_token()
LOGGING = logs.configuration(environment.log_kind())
