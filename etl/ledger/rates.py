"""The pace of a tenant: one row, from which all workers take their places in one schedule by the database's clock."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

#: Seconds without a call from which on time no longer counts as time in which the API took its calls.
IDLE = 2

_STANDING = """
    RETURNING extract(epoch FROM next_at - now())::float8 AS wait, extract(epoch FROM now())::float8 AS now,
              extract(epoch FROM now() - since)::float8 AS used, floor, ceiling, climb, taken, changes
"""

OPEN = text(f"""
    INSERT INTO etl.rate_buckets AS bucket (tenant) VALUES (:tenant)
    ON CONFLICT (tenant) DO UPDATE SET taken = bucket.taken {_STANDING}
""")

TAKE = text(f"""
    UPDATE etl.rate_buckets
    SET since = since + greatest(now() - next_at - make_interval(secs => :idle), interval '0'),
        next_at = greatest(next_at, now()) + make_interval(secs => :span), taken = taken + :count
    WHERE tenant = :tenant AND changes = :changes {_STANDING}
""")

CHANGE = text(f"""
    UPDATE etl.rate_buckets
    SET floor = :floor, ceiling = :ceiling, climb = :climb, changes = changes + 1,
        since = now() + make_interval(secs => :until_use),
        next_at = greatest(next_at, now() + make_interval(secs => :hold))
    WHERE tenant = :tenant AND changes = :changes {_STANDING}
""")

HOLD = text(f"""
    UPDATE etl.rate_buckets
    SET since = since + greatest(now() + make_interval(secs => :hold) - next_at, interval '0'),
        next_at = greatest(next_at, now() + make_interval(secs => :hold))
    WHERE tenant = :tenant {_STANDING}
""")

LIFT = text(f"UPDATE etl.rate_buckets SET next_at = now() WHERE tenant = :tenant {_STANDING}")


@dataclass(frozen=True, slots=True)
class Bucket:
    """How the pace of a tenant stands; times are in seconds."""

    wait: float  #: until the next place that nobody has taken
    now: float  #: by the clock that all go by
    used: float  #: since the last complaint, but for time in which nobody called or was to call
    floor: float = 0.0  #: calls a second right after that complaint
    ceiling: float = 0.0  #: calls a second that the API is thought to take; 0: it never complained
    climb: float = 0.0  #: seconds of use in which it climbs from one to the other; 0: the floor is a guess
    taken: int = 0  #: places that were taken so far, by all workers
    changes: int = 0  #: of floor and ceiling; who knows an older state of them has to look again


def look(connection: Connection, tenant: str) -> Bucket:
    """Return how the pace of a tenant stands."""
    return _bucket(connection.execute(OPEN, {"tenant": tenant}).one())


def take(connection: Connection, tenant: str, changes: int, span: float, count: int) -> Bucket | None:
    """Take places for `span` seconds and return how things stand behind them, None where the pace has changed."""
    given = {"tenant": tenant, "changes": changes, "span": span, "count": count, "idle": IDLE}
    return _found(connection.execute(TAKE, given).one_or_none())


def change(
    connection: Connection,
    tenant: str,
    changes: int,
    pace: tuple[float, float, float],
    hold: float,
    until_use: float,
) -> Bucket | None:
    """Set floor, ceiling and climb, and give no place for `hold` seconds; None where another worker was first.

    The seconds of use are counted from `until_use` seconds on.
    """
    given: dict[str, Any] = {"tenant": tenant, "changes": changes, "hold": hold, "until_use": until_use}
    given |= dict(zip(("floor", "ceiling", "climb"), pace, strict=True))
    return _found(connection.execute(CHANGE, given).one_or_none())


def hold(connection: Connection, tenant: str, seconds: float) -> Bucket:
    """Give no place to anybody for so many seconds."""
    return _bucket(connection.execute(HOLD, {"tenant": tenant, "hold": seconds}).one())


def lift(connection: Connection, tenant: str) -> Bucket:
    """Give places again: the API answers, whatever it had asked for."""
    return _bucket(connection.execute(LIFT, {"tenant": tenant}).one())


def _found(row: Row[Any] | None) -> Bucket | None:
    return None if row is None else _bucket(row)


def _bucket(row: Row[Any]) -> Bucket:
    return Bucket(**row._mapping)  # noqa: SLF001 (the public name of a row's mapping)
