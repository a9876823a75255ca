"""The URL of the database: parsed, checked and shown without its secrets."""

from collections.abc import Mapping

from psycopg.pq import Conninfo
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from etl.config.parsers import check_database_url
from etl.errors import SettingsError

#: Options with a fixed set of values (libpq, "Parameter Key Words"); the driver reports a wrong one as no connection.
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer", "require"),
    "sslnegotiation": ("postgres", "direct"),
    "load_balance_hosts": ("disable", "random"),
}
_INTEGERS = frozenset(
    {"connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"}
)

_FORM = "It must have the form postgresql://USER:PASSWORD@HOST:5432/DATABASE."


def parse_url(url: str) -> URL:
    """Return the URL for SQLAlchemy with the psycopg driver; raise SettingsError, without quoting it, when invalid."""
    try:
        address = make_url(check_database_url(url))
    except (ArgumentError, ValueError) as error:
        reason = "cannot be read" if isinstance(error, ArgumentError) else error
        raise SettingsError(f"DATABASE_URL {reason}. {_FORM}") from None
    if problem := _find_option_problem(address):
        raise SettingsError(f"DATABASE_URL {problem}.")
    return address.set(drivername="postgresql+psycopg")


def display_url(url: str) -> str:
    """Return the URL for display: user, host, port and database, without password and options."""
    address = parse_url(url)
    return URL.create(
        "postgresql",
        username=address.username,
        host=address.host or ",".join(list_values(address.query.get("host"))) or None,
        port=address.port,
        database=address.database,
    ).render_as_string(hide_password=True)


def list_values(value: str | tuple[str, ...] | None) -> list[str]:
    """Return the values of an option, which a URL can name several times."""
    return [value] if isinstance(value, str) else list(value or ())


def _find_option_problem(address: URL) -> str | None:
    """Return what is wrong with the first wrong option after the ?, without its value; None when all are right."""
    libpq_options = {option.keyword.decode() for option in Conninfo.get_defaults()}
    for name, value in address.query.items():
        values = list_values(value)
        if name not in libpq_options:
            shown = f" {name}" if name.isascii() and name.isidentifier() else ""
            return f"has an option{shown} that PostgreSQL does not know; remove it. Options follow the ?"
        if name in _CHOICES and not set(values) <= set(_CHOICES[name]):
            return f"has a wrong value for {name}; it must be one of {', '.join(_CHOICES[name])}"
        if name in _INTEGERS and not all(text.isascii() and text.lstrip("-").isdigit() for text in values):
            return f"has a wrong value for {name}; it must be a whole number"
    return None
