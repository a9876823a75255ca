"""Calls and the time that they take at the call limit, in the words that dry run, status and doctor share."""

from typing import Any

from etl.call_estimate import Estimate
from etl.config.rate_limit import RateLimit
from etl.ledger.children.child_counts import DetailsLeft
from etl.status.format import format_count, format_duration, format_number

#: What follows the calls of a kind of detail of which no run knows yet whether the account offers it.
IF_OFFERED = ", if this account offers it"


def format_calls(calls: Estimate) -> str:
    """Return a number of calls, or a range: `12 calls`, `20 to 30 calls`."""
    high = format_count(calls.high, "call")
    return high if calls.is_exact else f"{format_number(calls.low)} to {high}"


def format_call_time(calls: Estimate, limit: RateLimit) -> str:
    """Return how long calls wait for the limit: `under 1 min`, `3 min`, `7 h to 8 h 20 min`."""
    if limit.calls is None:
        return "no call limit is set"
    shortest, longest = (format_minutes(limit.seconds_for(number)) for number in (calls.low, calls.high))
    return longest if shortest == longest else f"{shortest} to {longest}"


def format_minutes(seconds: float) -> str:
    """Return a duration without seconds, except for those below a minute."""
    if seconds < 60:  # noqa: PLR2004 (a minute)
        return "under 1 min"
    return format_duration(round(seconds / 60) * 60)


def format_rate(limit: RateLimit) -> str:
    """Return the limit for a sentence: `58 calls a minute`."""
    return "without a call limit" if limit.calls is None else f"{limit.per_second * 60:g} calls a minute"


def format_calls_and_time(calls: Estimate, limit: RateLimit) -> str:
    """Return calls with their time: `8,800 calls, 2 h 31 min`."""
    return f"{format_calls(calls)}, {format_call_time(calls, limit)}"


def describe_details(details: DetailsLeft, limit: RateLimit, *, if_offered: bool = False) -> str:
    """Return what was read of a kind of detail, and what is left; `if_offered`: the account may lack it."""
    read = f"{format_number(details.coverage.covered)} of {format_number(details.parents)} read"
    calls = Estimate(details.calls, details.calls)
    time = "" if limit.calls is None else f", {format_call_time(calls, limit)}"
    return f"{details.resource}: {read}; {format_calls(calls)} left{time}{IF_OFFERED if if_offered else ''}"


def describe_total(calls: Estimate, limit: RateLimit) -> str:
    """Return what is left of all kinds of detail."""
    if limit.calls is None:
        return f"All details: {format_calls(calls)} left; no call limit is set."
    return f"All details: {format_calls(calls)} left, {format_call_time(calls, limit)} at {format_rate(limit)}."


def calls_to_json(calls: Estimate, limit: RateLimit) -> dict[str, Any]:
    """Return calls and their time as JSON; the time is null without a limit."""
    is_limited = limit.calls is not None
    return {
        "calls_low": calls.low,
        "calls": calls.high,
        "seconds_low": limit.seconds_for(calls.low) if is_limited else None,
        "seconds": limit.seconds_for(calls.high) if is_limited else None,
    }
