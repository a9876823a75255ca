"""Strict parsers of setting values: durations, URLs, time zones, email addresses and names."""

import ipaddress
import re
from datetime import time, timedelta
from email.utils import getaddresses
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from email_validator import EmailNotValidError, validate_email

MAX_DURATION = timedelta(days=3660)

_UNITS = {
    "s": "seconds", "sec": "seconds", "second": "seconds", "seconds": "seconds",
    "m": "minutes", "min": "minutes", "minute": "minutes", "minutes": "minutes",
    "h": "hours", "hour": "hours", "hours": "hours",
    "d": "days", "day": "days", "days": "days",
    "w": "weeks", "week": "weeks", "weeks": "weeks",
}  # fmt: skip
_PART = re.compile(r"\s*([0-9]{1,9})\s*([a-z]+)\s*", re.ASCII)
_CHOICE = re.compile(r"[+-][a-z_]{1,60}", re.ASCII)
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", re.ASCII)
#: Ends of domains that email-validator refuses, although the mail server of a local network delivers to them.
_LOCAL_DOMAIN = re.compile(r"(?<=@)localhost$|(?<=\.)local$", re.IGNORECASE)
#: The query strings that the URL of a mail server may have.
MAIL_TLS_OPTIONS = ("", "tls=off", "tls=on")
#: Log redaction hides what precedes an `@`, so that an example of a URL has no user.
#: Parts of a password that is not encoded look like a host or a database, so no part of such a URL is shown.
_ENCODING_HINT = (
    ". In user name and password, write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, % as %25 and a space as %20"
)
_DATABASE_SCHEMES = frozenset({"postgresql", "postgres", "postgresql+psycopg"})


def parse_duration(value: object) -> timedelta:
    """Return the duration of a text such as `90 days`, `1d` or `1d 6h`; raise ValueError for other text."""
    if isinstance(value, timedelta):
        length = value
    else:
        text = str(value).strip().lower()
        parts = [] if text == "0" else list(_PART.finditer(text))
        if text != "0" and (not parts or "".join(part.group() for part in parts) != text):
            raise ValueError("must be a number with a unit, such as 90 days, 1d or 12h")
        if any(part[2] not in _UNITS for part in parts):
            raise ValueError("has an unknown unit; use s, min, h, days or weeks")
        length = sum((timedelta(**{_UNITS[part[2]]: int(part[1])}) for part in parts), timedelta())
    if not timedelta() <= length <= MAX_DURATION:
        raise ValueError(f"must be between 0 and {MAX_DURATION.days} days")
    return length


def parse_refresh_ages(value: object) -> tuple[timedelta, timedelta]:
    """Return the two ages of a text such as `30 days, 180 days`; a single age counts for both."""
    first, _, second = str(value).partition(",")
    return parse_duration(first), parse_duration(second or first)


def check_refresh_ages(value: str) -> str:
    """Return two ages as they are; raise ValueError when they are invalid."""
    if min(parse_refresh_ages(value)) < timedelta(days=1):
        raise ValueError("must be one age or two, each a day or more, such as 30 days, 180 days")
    return value


def parse_selection(value: object) -> str:
    """Return a selection such as `default,+drivers,-documents` in one form; raise ValueError for others."""
    words = [word.strip() for word in str(value).split(",") if word.strip()]
    if wrong := [word for word in words if word != "default" and not _CHOICE.fullmatch(word)]:
        raise ValueError(f"must be names with + or - before each, such as +drivers,-documents; not {wrong[0]!r}")
    return ",".join(word for word in words if word != "default")


def check_api_url(value: str) -> str:
    """Return a URL of the API without a trailing slash; raise ValueError when it is invalid or not encrypted."""
    parts = _split_url(value)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ValueError("must be a URL such as https://api.qqcatalyst.com/v1")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must be a URL without user, query and fragment")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must begin with https://; http:// is allowed only for addresses of this machine")
    return value.strip().rstrip("/")


def check_database_url(value: str) -> str:
    """Return the URL of a PostgreSQL database; raise ValueError when it is invalid."""
    parts = _split_url(value)
    if parts.scheme not in _DATABASE_SCHEMES or not value.strip().startswith(f"{parts.scheme}://"):
        raise ValueError(f"must be a URL such as postgresql://db.example.com:5432/qqcatalyst{_ENCODING_HINT}")
    if parts.fragment or "@" in parts.path or ":" in parts.path or "@" in parts.netloc.rpartition("@")[0]:
        raise ValueError(f"cannot be read: a special character is not encoded{_ENCODING_HINT}")
    # Options of a URL without a user may hold an @, such as that of an abstract socket.
    if "@" in parts.query and not parts.username and parts.hostname:
        raise ValueError(f"cannot be read: a special character is not encoded{_ENCODING_HINT}")
    return value.strip()


def check_web_url(value: str) -> str:
    """Return the URL of a watchdog; raise ValueError when it is invalid or not encrypted."""
    parts = _split_url(value)
    has_credentials = parts.username is not None or parts.port is not None  # a port may be the start of a password
    misread = has_credentials and "@" in f"{parts.path}{parts.query}{parts.netloc.rpartition('@')[0]}"
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.fragment or misread:
        raise ValueError("must be a URL such as https://watchdog.example.com/ping/0d3c")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must begin with https://; http:// is allowed only for addresses of this machine")
    return value.strip()


def check_smtp_url(value: str) -> str:
    """Return the URL of a mail server; raise ValueError when it is invalid."""
    parts = _split_url(value)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path.strip("/") or parts.fragment:
        raise ValueError(f"must be a URL such as smtp://mail.example.com:587{_ENCODING_HINT}")
    if parts.query not in MAIL_TLS_OPTIONS or (parts.scheme == "smtps" and parts.query):
        raise ValueError(f"may have no query other than ?tls=off or ?tls=on, and only with smtp://{_ENCODING_HINT}")
    if (parts.username is None) != (parts.password is None):
        raise ValueError("must have both a user and a password, or neither")
    return value.strip()


def check_mail_address(value: str) -> str:
    """Return one email address; raise ValueError when it is invalid."""
    addresses = _parse_mail_addresses(value)
    if len(addresses) != 1:
        raise ValueError("must be one email address")
    return addresses[0]


def check_mail_addresses(value: str) -> str:
    """Return email addresses separated by commas; raise ValueError when one of them is invalid."""
    return ", ".join(_parse_mail_addresses(value))


def _parse_mail_addresses(value: str) -> list[str]:
    """Return the email addresses of a text, without names; raise ValueError when one is invalid."""
    if not value.isprintable():
        raise ValueError("must not contain line breaks or control characters")
    addresses = [address for _, address in getaddresses([value.strip().rstrip(",")])]
    try:
        return [_check_mail_syntax(address) for address in addresses or [""]]
    except EmailNotValidError:
        raise ValueError("must be email addresses, separated by commas") from None


def _check_mail_syntax(address: str) -> str:
    """Return an address as it is sent, its domain in ASCII; raise EmailNotValidError when it is invalid."""
    checked = validate_email(
        _LOCAL_DOMAIN.sub("example", address),
        check_deliverability=False,
        allow_smtputf8=False,
        globally_deliverable=False,
        test_environment=True,
    )
    return address if _LOCAL_DOMAIN.search(address) else f"{checked.local_part}@{checked.ascii_domain}"


def parse_time_of_day(value: str) -> str:
    """Return a time of day as `07:00`; raise ValueError when it is invalid."""
    try:
        return f"{time.fromisoformat(value.strip()):%H:%M}"
    except ValueError:
        raise ValueError("must be a time of day such as 07:00") from None


def check_zone(value: str) -> str:
    """Return the IANA name of a time zone; raise ValueError when it does not exist."""
    name = value.strip()
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone such as UTC or America/New_York") from None
    return name


def check_tenant(value: str) -> str:
    """Return a tenant's name; raise ValueError when it cannot be used in keys and messages."""
    if not _TENANT.fullmatch(value.strip()):
        raise ValueError("must have 1 to 63 letters, digits, dots, hyphens or underscores, a letter or digit first")
    return value.strip()


def is_loopback(host: str) -> bool:
    """Return whether a host is a loopback address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split_url(value: str) -> SplitResult:
    """Return the parts of a URL; raise ValueError when it is malformed."""
    text = value.strip()
    if not text.isprintable() or " " in text:
        raise ValueError(f"must be a URL without spaces and control characters{_ENCODING_HINT}")
    try:
        parts = urlsplit(text)
        _ = parts.port  # reading it is what checks it
    except ValueError:
        raise ValueError(f"must be a URL with a valid host and port{_ENCODING_HINT}") from None
    return parts
