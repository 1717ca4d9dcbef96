"""All settings of the project, from the environment. .env.example lists the variables.

Each variable can also be read from a file: `SECRET_KEY_FILE=/run/secrets/key`.
"""

import contextlib
import logging
import os
import re
import warnings
from datetime import timedelta
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import environ
from corsheaders.defaults import default_headers
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host
from environ.fileaware_mapping import FileAwareMapping

from . import product
from .monitoring.logs import logging_config
from .processors import cpus

BASE_DIR = Path(__file__).resolve().parent.parent
problems: list[str] = []  # raised together at the end of this file


given_twice = {name for name in os.environ if os.environ[name] and os.environ.get(f"{name}_FILE")}


class Variables(FileAwareMapping):  # type: ignore[misc]  # it has no types
    def __getitem__(self, name: str) -> str:
        if name in given_twice:
            given_twice.remove(name)
            problems.append(f"{name} is set, and {name}_FILE, too. Remove one of them.")
        try:
            value = str(super().__getitem__(name)).rstrip("\r\n")  # a text file ends with a newline
            # django-environ would read `$NAME` as the value of NAME. It replaces `\$` by `$`.
            return value.replace("$", r"\$")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{name}_FILE names a file that cannot be read.")
            raise KeyError(name) from error


LINE = re.compile(
    r"""\s*
    (?:
        (?:export\s+)?
        (\w+=(?:"(?:\\.|[^"\\])*"|'[^']*'|.*?))  # a name and its value
        (?:\s+\#.*)?
    |
        \#.*
    )?\s*""",
    re.VERBOSE,
)


def read_env_file(name: str) -> None:
    """Read the file into the environment, whose own variables take precedence.

    Without ENV_FILE, the file may be missing. django-environ ignores any file that it cannot read.
    """
    try:
        text = Path(name).read_text(encoding="utf-8-sig")
        environ.Env.read_env(StringIO("\n".join(assignments(name, text))))
    except FileNotFoundError:
        if "ENV_FILE" in os.environ or Path(name).is_symlink():
            problems.append(f"ENV_FILE names {name}, which does not exist.")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        problems.append(f"ENV_FILE names {name}, which cannot be read: {reason}.")


def assignments(name: str, text: str) -> list[str]:
    """Return the assignments of the file, without comments.

    django-environ takes a comment behind a value for a part of it, and ignores other lines.
    """
    lines = [LINE.fullmatch(line) for line in text.splitlines()]
    if None in lines:
        number = lines.index(None) + 1
        problems.append(f"ENV_FILE names {name}, whose line {number} is not like NAME=value.")
    return [found[1] for found in lines if found and found[1]]


env = environ.FileAwareEnv()
env.ENVIRON = Variables()
env.escape_proxy = True  # for `\$`
if env_file := env.str("ENV_FILE", default=str(BASE_DIR / ".env")):
    read_env_file(env_file)


def number(name: str, default: int, least: int = 0) -> int:
    try:
        value = int(env.str(name, default=str(default)))
    except ValueError:
        value = -1
    if not least <= value < 2**31:
        problems.append(f"{name} must be a whole number, {least} or more.")
        return default
    return value


def switch(name: str, default: bool) -> bool:
    value = env.str(name, default=str(default)).lower()
    if value not in {"true", "yes", "on", "1", "false", "no", "off", "0"}:
        problems.append(f"{name} must be True or False.")
        return default
    return value in {"true", "yes", "on", "1"}


def rates(name: str, default: str = "") -> str:
    """Return a rate limit as django-allauth writes it, such as `600/m/ip,5000/h/ip`."""
    value = str(env.str(name, default=default))
    each = r"[1-9]\d*/([1-9]\d*)?[smhd](/ip|/user)?"
    if value and not re.fullmatch(f"{each}(,{each})*", value):
        problems.append(f"{name} must be like 600/m/ip, or empty for no limit.")
        return default
    return value


def credentials(*names: str) -> list[str] | None:
    """Return the values of variables that belong together, or None if none of them is set."""
    values = [env.str(name, default="", multiline=True) for name in names]
    if any(values) and not all(values):
        missing = names[values.index("")]
        problems.append(f"{missing} is not set. Set all of {', '.join(names)}, or none.")
    return values if all(values) else None


def can_write_to(folder: Path) -> bool:
    """Return whether files can be created in the folder, which may not exist yet."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def is_cut_off(url: str) -> bool:
    """Return whether an unescaped `/`, `?` or `#` in the password cuts off the host."""
    return bool(re.match(r"[\w+]+://[^/?#@]*:[^/?#@]*[/?#].*@", url))


ENCODE = "Write /, ?, # and % in the password as %2F, %3F, %23 and %25."

# --- Secrets and hosts ---

DEBUG = switch("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", str.strip, default=[])  # newest first
JWT_SIGNING_KEY = env.str("JWT_SIGNING_KEY", default="", multiline=True)
JWT_VERIFYING_KEY = env.str("JWT_VERIFYING_KEY", default="", multiline=True)
JWT_ALGORITHM = env.str("JWT_ALGORITHM", default="HS256")
# The key set. Not by env.str("JWT_KEYS") alone, which would read the file once and for all, and
# demand that it exists: the app reads it again when it changes, and `rotatekeys` writes it.
JWT_KEYS_FILE = env.str("JWT_KEYS_FILE", default="")  # below the project, or absolute
JWT_KEYS = "" if JWT_KEYS_FILE else env.str("JWT_KEYS", default="")
has_key_set = bool(JWT_KEYS_FILE or JWT_KEYS)
if "JWT_KEYS" in given_twice:
    problems.append("JWT_KEYS is set, and JWT_KEYS_FILE, too. Remove one of them.")
if os.environ.get("JWT_KEYS_DIR"):
    problems.append(
        "JWT_KEYS_DIR is set, and the keys are now in one file. Remove it, set JWT_KEYS_FILE, and "
        "run: python manage.py rotatekeys --import <the folder>"
    )
# Stripped, because Caddy needs the space after a comma.
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", str.strip, default=["localhost", "127.0.0.1"] if DEBUG else []
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", str.strip, default=[])

NEW_KEY = "Generate one: python -c 'import secrets; print(secrets.token_urlsafe(64))'"
if not DEBUG:
    for name, value, shortest in (
        ("SECRET_KEY", SECRET_KEY, 50),
        *([] if has_key_set else [("JWT_SIGNING_KEY", JWT_SIGNING_KEY or SECRET_KEY, 32)]),
        *(("SECRET_KEY_FALLBACKS", key, 50) for key in SECRET_KEY_FALLBACKS),
    ):
        if not value:
            problems.append(f"{name} is not set. {NEW_KEY}")
        elif value.startswith("example"):
            problems.append(f"{name} is the public example. {NEW_KEY}")
        elif len(value) < shortest:
            problems.append(f"{name} is shorter than {shortest} characters. {NEW_KEY}")
    if not ALLOWED_HOSTS:
        problems.append("ALLOWED_HOSTS is empty. List your hosts: ALLOWED_HOSTS=app.example.com")
    if "*" in ALLOWED_HOSTS:  # links in e-mails could then lead to any host
        problems.append("ALLOWED_HOSTS allows any host. List yours: ALLOWED_HOSTS=app.example.com")
if not all(re.fullmatch(r"\*|[\w.-]+|\[[\da-fA-F:.]+\]", host) for host in ALLOWED_HOSTS):
    problems.append(
        "ALLOWED_HOSTS must be like app.example.com,www.example.com, without scheme, port or path."
    )
SECRET_KEY = SECRET_KEY or "example-key-for-development-only"


def site_origin() -> str:
    """Return the origin of this site for the links of e-mails that no request causes.

    Without SITE_ORIGIN, it is the first trusted origin whose host is allowed, or else the first
    allowed host, which may not be a pattern such as `.example.com`.
    """
    given = str(env.str("SITE_ORIGIN", default="http://localhost:8000" if DEBUG else ""))
    if given and not re.fullmatch(
        r"https?://[\w.-]+(:\d+)?|https?://\[[\da-fA-F:.]+\](:\d+)?", given
    ):
        problems.append("SITE_ORIGIN must be like https://app.example.com, without a path.")
    for origin in CSRF_TRUSTED_ORIGINS:
        found = re.fullmatch(r"https?://([\w.-]+)(:\d+)?", origin)
        if not given and found and validate_host(found[1], ALLOWED_HOSTS):
            given = origin
    plain = [f"https://{host}" for host in ALLOWED_HOSTS if not host.startswith((".", "*"))]
    return given or next(iter(plain), "")


SITE_ORIGIN = site_origin()
if not SITE_ORIGIN and ALLOWED_HOSTS and "*" not in ALLOWED_HOSTS:
    problems.append(
        "SITE_ORIGIN is not set, and ALLOWED_HOSTS has no full name for the links in e-mails. "
        "Set it: SITE_ORIGIN=https://app.example.com"
    )

# --- Name, description and color of the product ---

SITE_NAME = env.str("SITE_NAME", default=product.SITE_NAME)
SITE_DESCRIPTION = env.str("SITE_DESCRIPTION", default="") or product.SITE_DESCRIPTION
ACCENT_COLOR = env.str("ACCENT_COLOR", default=product.ACCENT_COLOR)
if not re.fullmatch("#[0-9a-fA-F]{6}", ACCENT_COLOR):
    problems.append("ACCENT_COLOR must be like #3b5bdb: # and six hexadecimal digits.")

# --- Database: SQLite unless DATABASE_URL names a PostgreSQL ---

# A deployment that lost the variable would start with an empty database.
DATABASE_URL = env.str("DATABASE_URL", default=None)
if DATABASE_URL is None:
    if not DEBUG:
        problems.append(
            "DATABASE_URL is not set. Use postgres://user:password@host/name or sqlite:///path."
        )
    DATABASE_URL = f"sqlite:///{BASE_DIR / 'db.sqlite3'}"
DATABASE: dict[str, Any] = {}
# Ignore warnings about the scheme and errors about the port: both are reported below.
with warnings.catch_warnings(action="ignore"), contextlib.suppress(ValueError):
    DATABASE = env.db_url_config(DATABASE_URL)
match DATABASE.get("ENGINE"):
    case _ if is_cut_off(DATABASE_URL):
        problems.append(f"DATABASE_URL has a special character in its password. {ENCODE}")
    case "django.db.backends.sqlite3":
        # Each thread keeps its connection, except in runserver, which starts a thread per request.
        # A new connection may have to create files, which fails on a full disk.
        DATABASE.setdefault("CONN_MAX_AGE", 0 if DEBUG else None)
        DATABASE["OPTIONS"] = {
            # A transaction waits for the write lock when it begins, instead of failing halfway.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,  # seconds to wait for the lock
            # WAL: readers and the writer do not block each other. FULL: a power failure must not
            # undo a sign-out that was confirmed.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        }
    case "django.db.backends.postgresql":
        DATABASE["ENGINE"] = "config.postgresql"
        # As above, for at most this many seconds.
        DATABASE.setdefault("CONN_MAX_AGE", 0 if DEBUG else 600)
        DATABASE["CONN_HEALTH_CHECKS"] = True
        DATABASE["OPTIONS"] = {
            "connect_timeout": 10,
            # Give up a host that has vanished after 10 to 20 seconds. TCP alone retransmits for
            # 15 minutes.
            "tcp_user_timeout": 10_000,  # milliseconds that sent data may stay unacknowledged
            "keepalives_idle": 5,  # seconds of silence before the first probe
            "keepalives_interval": 5,
            "keepalives_count": 2,
            # Send values separately from the SQL, and prepare statements that are sent often.
            # Not every pooler supports prepared statements.
            "server_side_binding": True,
            "prepare_threshold": 5 if switch("DB_PREPARED_STATEMENTS", default=True) else None,
        } | DATABASE.get("OPTIONS", {})
    case _:
        problems.append(
            "DATABASE_URL must be postgres://user:password@host/name or sqlite:///path."
        )
DATABASES = {"default": DATABASE}

# --- Cache: the memory of each process, or CACHE_URL. The rate limits count in it ---

CACHE: dict[str, Any] = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "OPTIONS": {"MAX_ENTRIES": 10_000},  # with Django's 300, a flood would push out the counts
}
if CACHE_URL := env.str("CACHE_URL", default=""):
    if is_cut_off(CACHE_URL):
        problems.append(f"CACHE_URL has a special character in its password. {ENCODE}")
    elif CACHE_URL.startswith(("redis://", "rediss://")):
        CACHE = env.cache_url("CACHE_URL")
        CACHE.setdefault("OPTIONS", {}).update(
            # Seconds. The rate limits work without a cache that hangs or is unavailable.
            socket_timeout=1,
            socket_connect_timeout=1,
        )
    else:
        problems.append("CACHE_URL must be redis://host:port/0, or rediss:// for TLS.")
CACHES = {"default": CACHE}

# --- E-mail: printed in the terminal unless EMAIL_URL names a server ---

EMAIL_URL = env.str("EMAIL_URL", default="")
if not DEBUG and not EMAIL_URL:
    # The console backend would write password reset links to the log.
    problems.append(
        "EMAIL_URL is not set. Use smtp+tls://user:password@host:587, or dummymail:// for none."
    )
mail: dict[str, Any] = {}
try:
    mail = env.email_url("EMAIL_URL", default="consolemail://")
except (ImproperlyConfigured, ValueError):
    problems.append("EMAIL_URL must be like smtp+tls://user:password@host:587 or dummymail://.")
EMAIL_BACKEND = "accounts.outbox.EmailBackend"  # each e-mail waits in the database first
EMAIL_DELIVERY_BACKEND = mail.get("EMAIL_BACKEND")  # and is then sent by this one
EMAILS_SENT_BY = env.str("EMAILS_SENT_BY", default="web")
if EMAILS_SENT_BY not in {"web", "scheduler"}:
    problems.append("EMAILS_SENT_BY must be web or scheduler.")
POST_OFFICE = {"BATCH_SIZE": 0}  # its own command sends none: it cannot decrypt them
EMAIL_FILE_PATH = mail.get("EMAIL_FILE_PATH")
EMAIL_HOST = mail.get("EMAIL_HOST")
EMAIL_PORT = mail.get("EMAIL_PORT")
EMAIL_HOST_USER = mail.get("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = mail.get("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10  # seconds to wait for each answer of the server
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=product.DEFAULT_FROM_EMAIL)
# The placeholders of the starter, and of a product that has no domain yet (RFC 2606).
NO_SENDERS = {"webmaster@localhost", *re.findall(r".*\.example$", product.DEFAULT_FROM_EMAIL)}
if is_cut_off(EMAIL_URL):
    problems.append(f"EMAIL_URL has a special character in its password. {ENCODE}")
elif not DEBUG and EMAIL_HOST and DEFAULT_FROM_EMAIL in NO_SENDERS:
    problems.append(
        f"DEFAULT_FROM_EMAIL is not set, and mail servers refuse {product.DEFAULT_FROM_EMAIL}. "
        "Use an address of your domain."
    )

# --- CORS ---

# Other origins whose scripts may call the API; none by default. They use tokens in the body,
# because the API accepts no cookies from another origin.
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", str.strip, default=[])
CORS_URLS_REGEX = "^/(api|_allauth/app)/"
CORS_EXPOSE_HEADERS = ["Retry-After", "X-Request-ID"]
# The last three are django-allauth's: they connect the steps of a sign-up or a new password.
CORS_ALLOW_HEADERS = [
    *default_headers,
    *("x-session-token", "x-email-verification-key", "x-password-reset-key"),
]
if not all(re.fullmatch(r"https?://[^/\s*?#@]+", origin) for origin in CORS_ALLOWED_ORIGINS):
    problems.append(
        "CORS_ALLOWED_ORIGINS must be like https://app.example.com,https://other.example"
    )

# --- Apps and middleware ---

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # before the admin, whose templates it replaces
    "config.admin.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "config",
    "config.monitoring",
    "token_blacklist",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.headless",
    "post_office",
    "accounts",
]
ROOT_URLCONF = "config.root_urls"
WSGI_APPLICATION = "config.wsgi.application"

MIDDLEWARE = [
    "config.middleware.probes.ProbeMiddleware",  # first: no redirect, refusal or log
    "config.middleware.metrics.MetricsMiddleware",
    "config.middleware.access.AccessMiddleware",
    *(["corsheaders.middleware.CorsMiddleware"] if CORS_ALLOWED_ORIGINS else []),
    "config.middleware.forward_auth.ForwardAuthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.headers.PolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "token_blacklist.middleware.AuthenticationMiddleware",  # a sign-in on a page is a session
    "accounts.middleware.EndedSessionMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.request_checks.RequestChecksMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context_processors.site",
            ]
        },
    }
]
# The default storage also reads a cookie, which takes 3 % of an authenticated request.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
# Larger bodies are refused before they are read. The API has a limit of its own: the parsers below.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024

# --- Users and passwords ---

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "accounts.hashers.SmallArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
PASSWORD_HASHES_AT_ONCE = cpus()  # per process; other requests wait
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    # No rule: a new password ends the sessions.
    {"NAME": "token_blacklist.password_validation.RevokeSessionsValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600  # seconds; shown in the e-mail and on the pages
DEMO_USERS = switch("DEMO_USERS", default=product.DEMO_USERS) and DEBUG  # their password is public

# --- Accounts: django-allauth. docs/accounts.md has the usual changes ---

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "account"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"login": "accounts.forms.LoginForm"}
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "accounts.passwords.ResetTokenGenerator"  # noqa: S105
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.signup.NameForm"
ACCOUNT_SIGNUP_ENABLED = switch("ACCOUNTS_ALLOW_SIGNUP", default=True)
ACCOUNT_EMAIL_VERIFICATION = env.str(
    "ACCOUNT_EMAIL_VERIFICATION", default="optional" if DEBUG else "mandatory"
)
if ACCOUNT_EMAIL_VERIFICATION not in {"mandatory", "optional", "none"}:
    problems.append("ACCOUNT_EMAIL_VERIFICATION must be mandatory, optional or none.")
# A code keeps a sign-up in the window where it began. Optional verification sends a link.
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = ACCOUNT_EMAIL_VERIFICATION == "mandatory"
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_CHANGE_EMAIL = True  # one address; a new one replaces it when it is verified
ACCOUNT_EMAIL_NOTIFICATIONS = True  # of each change of the account
NOTIFY_SIGN_INS = switch("NOTIFY_SIGN_INS", default=True)  # from a new device or network
ACCOUNT_DELETION_DAYS = number("ACCOUNT_DELETION_DAYS", 7)  # 0: at once
ACCOUNT_EMAIL_SUBJECT_PREFIX = f"{SITE_NAME}: "
ACCOUNT_LOGOUT_REDIRECT_URL = "/login/?signed_out=here"
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # before a change that gives access to the account
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600  # seconds; in the API, SignedInWithin
# `ip` is the client address, `key` the account. They count in the cache.
ACCOUNT_RATE_LIMITS: Any = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "signup": "20/h/ip",
    "change_password": "10/h/user",
    "reset_password": "20/m/ip,5/h/key",
    "report": "20/m/ip",
    "refresh": rates("THROTTLE_REFRESH"),
    "introspect": rates("THROTTLE_INTROSPECT", "6000/m/user"),  # a service
}
if not switch("RATE_LIMITS", default=True):
    ACCOUNT_RATE_LIMITS = False
MFA_ADAPTER = "accounts.stored_secrets.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = SITE_NAME
MFA_TOTP_TOLERANCE = 1  # the code before or after works too: clocks differ, and typing takes time
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG  # http://localhost
ADMIN_REQUIRES_SECOND_FACTOR = switch("ADMIN_REQUIRES_SECOND_FACTOR", default=False)
HEADLESS_ADAPTER = "accounts.headless.HeadlessAdapter"
HEADLESS_TOKEN_STRATEGY = "accounts.headless.TokenStrategy"  # noqa: S105  # a class
HEADLESS_SERVE_SPECIFICATION = True
HEADLESS_SPECIFICATION_TEMPLATE_NAME = None  # its page loads scripts from elsewhere: /api/docs/

SOCIALACCOUNT_ADAPTER = "accounts.adapter.SocialAccountAdapter"
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
PROVIDER_ORIGINS: list[str] = []  # the pages to which a sign-in leads


def add_provider(name: str, origin: str, app: dict[str, Any]) -> None:
    INSTALLED_APPS.append(f"allauth.socialaccount.providers.{name}")
    SOCIALACCOUNT_PROVIDERS[name] = {"APPS": [app]}
    PROVIDER_ORIGINS.append(origin)


if found := credentials("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"):
    app = {"client_id": found[0], "secret": found[1]}
    add_provider("google", "https://accounts.google.com", app)
if found := credentials("GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"):
    app = {"client_id": found[0], "secret": found[1]}
    add_provider("github", "https://github.com", app)
if found := credentials("MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET"):
    app = {"client_id": found[0], "secret": found[1]}
    add_provider("microsoft", "https://login.microsoftonline.com", app)
if found := credentials("APPLE_CLIENT_ID", "APPLE_KEY_ID", "APPLE_TEAM_ID", "APPLE_PRIVATE_KEY"):
    client_id, key_id, team_id, private_key = found
    app = {"client_id": client_id, "secret": key_id, "key": team_id}
    signed = {"settings": {"certificate_key": private_key}}
    add_provider("apple", "https://appleid.apple.com", app | signed)

# --- Tokens and the API ---


def introspection_clients() -> dict[str, list[str]]:
    """Return the digests of each name in `name:digest,name:digest`."""
    found: dict[str, list[str]] = {}
    for client in env.list("INTROSPECTION_CLIENTS", default=[]):
        name, _colon, digest = client.strip().partition(":")
        if not name or not re.fullmatch("[0-9a-f]{64}", digest):
            problems.append(
                "INTROSPECTION_CLIENTS must be like billing:<SHA-256 of its secret>, separated by "
                "commas."
            )
            continue
        found.setdefault(name, []).append(digest)
    return found


# The Django session of a page lasts as long as its session in the lists can, which ends it earlier.
SESSION_COOKIE_AGE = number("SESSION_SECONDS", 30 * 24 * 3600, least=1)
TOKEN_BLACKLIST = {
    "ALGORITHM": JWT_ALGORITHM,
    "SIGNING_KEY": JWT_SIGNING_KEY or SECRET_KEY,
    "VERIFYING_KEY": JWT_VERIFYING_KEY,
    "KEYS_FILE": str(BASE_DIR / JWT_KEYS_FILE) if JWT_KEYS_FILE else None,
    "KEYS": JWT_KEYS or None,
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=number("ACCESS_TOKEN_SECONDS", 5 * 60, least=1)),
    "REFRESH_TOKEN_LIFETIME": timedelta(
        seconds=number("REFRESH_TOKEN_SECONDS", 24 * 3600, least=1)
    ),
    "SESSION_LIFETIME": timedelta(seconds=SESSION_COOKIE_AGE),
    "SHORT_SESSION_LIFETIME": timedelta(
        seconds=number("SHORT_SESSION_SECONDS", 12 * 3600, least=1)
    ),
    "ROTATION_GRACE_PERIOD": timedelta(seconds=number("ROTATION_GRACE_SECONDS", 10)),
    "MAX_SESSIONS_PER_USER": number("MAX_SESSIONS_PER_USER", 0) or None,
    "LEEWAY": timedelta(seconds=number("JWT_LEEWAY_SECONDS", 0)),
    "TOKEN_OBTAIN_SERIALIZER": "accounts.sign_in.PairSerializer",
    "DEVICE_NAME": "accounts.devices.device_name",
    "SESSION_CLAIMS": "accounts.sign_in_methods.session_claims",
    "PAGES_SET_REFRESH_COOKIE": True,
    # Browsers accept this prefix only over TLS. __Host- would not allow the path.
    "REFRESH_COOKIE_NAME": "refresh_token" if DEBUG else "__Secure-refresh_token",
    # Sliding tokens: the endpoints in token_blacklist.urls issue them.
    "AUTH_TOKEN_CLASSES": (
        "token_blacklist.tokens.AccessToken",
        "token_blacklist.tokens.SlidingToken",
    ),
    "SLIDING_TOKEN_OBTAIN_SERIALIZER": "accounts.sliding.SlidingSerializer",
    "INTROSPECTION_CLIENTS": introspection_clients(),
}
NUM_PROXIES = number("NUM_PROXIES", 0)
number("WEB_CONCURRENCY", 0)  # gunicorn reads it, and has no sentence for an invalid one
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["token_blacklist.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["token_blacklist.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "token_blacklist.negotiation.OneRenderer",
    "DEFAULT_SCHEMA_CLASS": "token_blacklist.schema.AutoSchema",
    "EXCEPTION_HANDLER": "token_blacklist.exceptions.exception_handler",
    "NUM_PROXIES": NUM_PROXIES,
    "DEFAULT_THROTTLE_CLASSES": ["accounts.rate_limits.RateLimit"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": f"{SITE_NAME} API",
    "DESCRIPTION": (
        "Sign in, stay signed in, sign out. Send the access token with each request: "
        "`Authorization: Bearer <access>`."
    ),
    "VERSION": "1.0.0",
    "SORT_OPERATIONS": "config.description.order_of_use",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    # A text is JavaScript. The addresses are relative to /api/docs/.
    "SWAGGER_UI_SETTINGS": """{
        urls: [
            {url: "../schema/", name: "Tokens and sessions"},
            {url: "../../_allauth/openapi.json", name: "Accounts"},
        ],
        presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
        layout: "StandaloneLayout",
        deepLinking: true,
        onComplete: () => document.dispatchEvent(new Event("definition")),  // js/docs-sign-in.js
    }""",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,  # `* body - body`
}

# --- The admin ---

ADMIN_URL = env.str("ADMIN_URL", default="admin/")
TAKEN = "api|health|static|account|login|logout|signup|password|email|reauthenticate|2fa|3rdparty"
if not re.fullmatch(rf"(?!({TAKEN}|report|_allauth)/)([\w-]+/)+", ADMIN_URL):
    problems.append(
        "ADMIN_URL must be like back-office/, with a trailing slash, not the path of another page."
    )
UNFOLD = {
    "SITE_TITLE": SITE_NAME,
    "SITE_HEADER": SITE_NAME,
    "SITE_SYMBOL": "shield_person",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "config.admin.navigation.icon"},
    ],
    "SHOW_HISTORY": False,
    # On all pages: Django's own, such as the history, load no styles of a model's admin.
    "STYLES": [
        "config.admin.navigation.theme",
        "config.admin.navigation.app_style",
        "config.admin.navigation.style",
    ],
    "SCRIPTS": ["config.admin.navigation.zone_script"],
    # The theme writes white on its 600, and its 500 on dark grounds.
    "COLORS": {
        "primary": {
            "50": "color-mix(in oklab, var(--accent-light) 6%, white)",
            "100": "color-mix(in oklab, var(--accent-light) 12%, white)",
            "200": "color-mix(in oklab, var(--accent-light) 26%, white)",
            "300": "color-mix(in oklab, var(--accent-light) 44%, white)",
            "400": "color-mix(in oklab, var(--accent-dark) 80%, white)",
            "500": "var(--accent-dark)",
            "600": "var(--accent-light)",
            "700": "color-mix(in oklab, var(--accent-light) 80%, black)",
            "800": "color-mix(in oklab, var(--accent-light) 60%, black)",
            "900": "color-mix(in oklab, var(--accent-light) 45%, black)",
            "950": "color-mix(in oklab, var(--accent-light) 28%, black)",
        }
    },
    "DASHBOARD_CALLBACK": "config.admin.dashboard.dashboard",
    "SIDEBAR": {"navigation": "config.admin.navigation.navigation"},
}

# --- Static files ---

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "config.static.HashedFiles"
        )
    },
}

# --- Transport security: without DEBUG, TLS is expected ---

SECURE_SSL_REDIRECT = switch("SECURE_SSL_REDIRECT", default=not DEBUG)
SECURE_REDIRECT_EXEMPT = ["^api/token/check/$"]  # a proxy asks over plain HTTP
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
# With the prefix, no subdomain can set them for this host. static/js/session.js knows both names.
CSRF_COOKIE_NAME = "csrftoken" if DEBUG else "__Host-csrftoken"
SESSION_COOKIE_NAME = "sessionid" if DEBUG else "__Host-sessionid"
SECURE_HSTS_SECONDS = number("SECURE_HSTS_SECONDS", 0 if DEBUG else 365 * 24 * 3600)
# Off by default, because they affect other hosts of the domain.
SECURE_HSTS_INCLUDE_SUBDOMAINS = switch("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = switch("SECURE_HSTS_PRELOAD", default=False)
# The warnings about these two, which are the owner's choice.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if NUM_PROXIES:  # only a proxy may set the scheme
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CSRF_FAILURE_VIEW = "config.errors.csrf_failure"

# --- Content-Security-Policy ---

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF, *PROVIDER_ORIGINS],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        # Trusted Types: no script can turn a string into HTML or script.
        "require-trusted-types-for": ["'script'"],
        "trusted-types": [NONE],
    }
}
# The directives that differ below a path. None removes a directive.
CSP_BY_PATH: dict[str, dict[str, list[str] | None]] = {
    "/2fa/totp/activate/": {"img-src": [SELF, "data:"]},  # the QR code
    "/api/docs/": {  # Swagger UI has inline images and styles
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "require-trusted-types-for": None,
        "trusted-types": None,
    },
    f"/{ADMIN_URL}": {  # the theme's Alpine.js evaluates attributes
        "script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "require-trusted-types-for": None,
        "trusted-types": None,
    },
}

# --- Language, time, logging, errors, metrics ---

LANGUAGE_CODE = "en"  # if a browser asks for none of these
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
if LOG_LEVEL not in logging.getLevelNamesMapping():
    problems.append("LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL.")
LOG_FORMAT = env.str("LOG_FORMAT", default="line" if DEBUG else "json")
if LOG_FORMAT not in {"line", "json"}:
    problems.append("LOG_FORMAT must be line or json.")
LOG_STREAM = env.str("LOG_STREAM", default="stdout")
if LOG_STREAM not in {"stdout", "stderr"}:
    problems.append("LOG_STREAM must be stdout or stderr.")
LOGGING = logging_config(LOG_LEVEL, LOG_FORMAT, LOG_STREAM)
ACCESS_LOG = env.str("ACCESS_LOG", default="on")
if not re.fullmatch(r"on|off|errors|0?\.[0-9]+", ACCESS_LOG):
    problems.append("ACCESS_LOG must be on, off, errors or a fraction such as 0.1.")
SENTRY_DSN = env.str("SENTRY_DSN", default="")
if SENTRY_DSN and find_spec("sentry_sdk") is None:
    problems.append("SENTRY_DSN needs sentry-sdk. Install it: pip install sentry-sdk")
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
METRICS_DIR = env.str("METRICS_DIR", default="") or str(BASE_DIR / ".metrics")
if 0 < len(METRICS_TOKEN) < 16:
    problems.append(f"METRICS_TOKEN is shorter than 16 characters. {NEW_KEY}")
if METRICS_TOKEN and not can_write_to(Path(METRICS_DIR)):
    problems.append("METRICS_DIR is not writable. Set it to a writable folder.")

if problems:
    raise ImproperlyConfigured("Invalid settings:\n- " + "\n- ".join(problems))
