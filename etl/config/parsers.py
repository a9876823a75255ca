"""How settings are written: lengths of time, addresses, zones and names, read strictly."""

import ipaddress
import re
from datetime import time, timedelta
from email.utils import getaddresses
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LONGEST = timedelta(days=3660)

_UNITS = {
    "s": "seconds", "sec": "seconds", "second": "seconds", "seconds": "seconds",
    "m": "minutes", "min": "minutes", "minute": "minutes", "minutes": "minutes",
    "h": "hours", "hour": "hours", "hours": "hours",
    "d": "days", "day": "days", "days": "days",
    "w": "weeks", "week": "weeks", "weeks": "weeks",
}  # fmt: skip
_PART = re.compile(r"\s*([0-9]{1,9})\s*([a-z]+)\s*", re.ASCII)
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", re.ASCII)
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
#: What may stand behind the address of a mail server: nothing, or that TLS is wanted or not, in so many words.
MAIL_TLS = ("", "tls=off", "tls=on")
_DATABASE = frozenset({"postgresql", "postgres", "postgresql+psycopg"})


def duration(value: object) -> timedelta:
    """Return the length of time that a text such as `90 days`, `1d` or `1d 6h` names; ValueError otherwise."""
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
    if not timedelta() <= length <= LONGEST:
        raise ValueError(f"must lie between 0 and {LONGEST.days} days")
    return length


def api_address(value: str) -> str:
    """Return an address of the API without a closing slash; ValueError when it is none or lets secrets be overheard."""
    parts = _split(value)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ValueError("must be an address such as https://api.qqcatalyst.com/v1")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must be an address without user, query and fragment")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must begin with https://; http:// is for this machine's own addresses alone")
    return value.strip().rstrip("/")


def database_address(value: str) -> str:
    """Return the address of a PostgreSQL database; ValueError when it is none."""
    parts = _split(value)
    if parts.scheme not in _DATABASE or not value.strip().startswith(f"{parts.scheme}://"):
        raise ValueError("must be an address such as postgresql://user@host:5432/database")
    return value.strip()


def web_address(value: str) -> str:
    """Return the address of a watchdog; ValueError when it is none or what it holds could be overheard."""
    parts = _split(value)
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.fragment:
        raise ValueError("must be an address such as https://watchdog.example.com/ping/0d3c")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must begin with https://; http:// is for this machine's own addresses alone")
    return value.strip()


def mail_server(value: str) -> str:
    """Return the address of a mail server; ValueError when it is none."""
    parts = _split(value)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path.strip("/") or parts.fragment:
        raise ValueError("must be an address such as smtp://user:password@mail.example.com:587")
    if parts.query not in MAIL_TLS or (parts.scheme == "smtps" and parts.query):
        raise ValueError("may end in ?tls=off or ?tls=on behind smtp://, and in nothing else")
    if (parts.username is None) != (parts.password is None):
        raise ValueError("must name both a user and a password, or neither")
    return value.strip()


def mail_address(value: str) -> str:
    """Return one mail address; ValueError when it is none."""
    found = _mail_addresses(value)
    if len(found) != 1:
        raise ValueError("must be one mail address such as qqetl@example.com")
    return found[0]


def mail_addresses(value: str) -> str:
    """Return mail addresses, parted by commas; ValueError when one of them is none."""
    return ", ".join(_mail_addresses(value))


def _mail_addresses(value: str) -> list[str]:
    """Return the mail addresses of a text, without names; ValueError when one is none."""
    if not value.isprintable():
        raise ValueError("must not hold line breaks or control characters")
    found = [address for _, address in getaddresses([value.strip().rstrip(",")])]
    if not found or not all(_MAIL.fullmatch(address) for address in found):
        raise ValueError("must be mail addresses such as operations@example.com, parted by commas")
    return found


def hour_of_day(value: str) -> str:
    """Return a time of day as `07:00`; ValueError when it is none."""
    try:
        return f"{time.fromisoformat(value.strip()):%H:%M}"
    except ValueError:
        raise ValueError("must be a time of day such as 07:00") from None


def zone_name(value: str) -> str:
    """Return the name of a time zone, as the IANA lists it; ValueError when there is none."""
    name = value.strip()
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone such as UTC or America/New_York") from None
    return name


def tenant_name(value: str) -> str:
    """Return a tenant's name; ValueError when it could not stand in keys and messages."""
    if not _TENANT.fullmatch(value.strip()):
        raise ValueError("must have 1 to 63 letters, digits, dots, hyphens or underscores, a letter or digit first")
    return value.strip()


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine itself."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(value: str) -> SplitResult:
    """Return the parts of an address; ValueError when it cannot be taken apart."""
    text = value.strip()
    if not text.isprintable() or " " in text:
        raise ValueError("must be an address without blanks and control characters")
    try:
        parts = urlsplit(text)
        _ = parts.port  # reading it is what checks it
    except ValueError:
        raise ValueError("must be an address with a valid host and port") from None
    return parts
