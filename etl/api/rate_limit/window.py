"""The sliding window of the call limit: which calls are allowed next. Pure; times are seconds of one clock.

A permit counts until one window after the response to its call, because a server that counts arrivals saw the call no
later than that. A permit whose worker died counts until one window after its call's total timeout.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

#: The longest hold after one refusal, and how long a run continues without an accepted call. In windows.
LONGEST_HOLD, GIVE_UP = 1.25, 15
#: A refusal within this many windows of the previous one lowers the limit; after as long without one, caution ends.
RECENT = 2
#: After this many windows without a refusal, the count of windows without an accepted call restarts.
FORGOTTEN = 5
#: The share of its calls that a lowered limit keeps.
LOWERED = 0.9
#: While one call at a time is allowed, other workers check this many times a window whether it has ended.
LOOKS = 50


@dataclass(frozen=True, slots=True)
class WindowRules:
    """The limit of an account, and how long a call may take."""

    calls: int | None  #: None: no limit; only refusals cause waits
    window: float
    timeout: float


@dataclass(frozen=True, slots=True)
class WindowState:
    """The calls and refusals of an account, of all its workers."""

    permits: tuple[float, ...] = ()  #: when each permit is free again, in ascending order
    refusals: tuple[float, ...] = ()  #: the same for refused calls, which the API may count as well
    lowered_to: int | None = None  #: the limit while another integration uses part of the calls
    lowered_at: float = 0.0
    refused_at: float = 0.0  #: the last refusal; 0: none
    failing_since: float = 0.0  #: the first refusal since a call was accepted; 0: none
    held_until: float = 0.0
    probing: bool = False  #: after a hold one call is sent by itself, and the others wait for its answer
    edge: int = 0  #: calls in the window at the last refusal; further calls are sent one at a time


class PermitResult(NamedTuple):
    """The result of a request for permits."""

    state: WindowState
    granted: int  #: number of permits taken
    permit: float  #: when each is free again if the end of its call is never reported
    wait: float  #: seconds until more may be free
    used_up: float | None  #: seconds until the limit allows calls, if longer than a run waits


#: An event since the last exchange: maps the state and the time to the new state.
WindowChange = Callable[[WindowState, float], WindowState]


def take(state: WindowState, rules: WindowRules, now: float, wanted: int) -> PermitResult:
    """Take up to `wanted` free permits."""
    in_use, refusals = (
        tuple(free_at for free_at in times if free_at > now) for times in (state.permits, state.refusals)
    )
    state = replace(state, permits=in_use, refusals=refusals)
    permit = now + rules.timeout + rules.window
    if (used_up := _find_long_wait(state, rules, now)) is not None:
        return PermitResult(state, 0, permit, used_up, used_up)
    if state.held_until > now:
        return PermitResult(state, 0, permit, state.held_until - now, None)
    free = count_allowed(state, rules, now) - len(in_use) - len(refusals)
    is_careful = _is_careful(state, rules, now)
    if is_careful:
        beyond = 0 if _count_in_flight(state, rules, now) else 1
        free = min(free, max((0 if state.probing else state.edge) - len(in_use), beyond))
    permits = max(0, min(wanted, free))
    state = replace(state, permits=state.permits + (permit,) * permits)
    return PermitResult(state, permits, permit, _find_next_free(state, rules, now, is_careful=is_careful), None)


def count_allowed(state: WindowState, rules: WindowRules, now: float) -> int:
    """Return how many calls a window may have now: a lowered limit rises by one call a window up to the setting."""
    most = rules.calls if rules.calls is not None else len(state.permits) + len(state.refusals) + LOOKS
    if state.lowered_to is None:
        return most
    return min(most, state.lowered_to + int((now - state.lowered_at) / rules.window))


def is_limit_unlikely(state: WindowState, rules: WindowRules, now: float) -> bool:
    """Return whether a call just refused hardly met the limit: less than half is used, and none was refused recently.

    Without a limit nobody counts, and nothing speaks for one.
    """
    if rules.calls is None:
        return not _is_careful(state, rules, now)
    used = len(state.permits) + len(state.refusals)
    return 2 * used <= count_allowed(state, rules, now) == rules.calls and not _is_careful(state, rules, now)


def return_unused(state: WindowState, _now: float, *, permit: float) -> WindowState:
    """Give back a permit whose call was never sent."""
    return replace(state, permits=_without(state.permits, permit))


def record_ended(state: WindowState, _now: float, *, rules: WindowRules, permit: float, at: float) -> WindowState:
    """Free a permit one window after its call ended."""
    return replace(state, permits=_with(_without(state.permits, permit), at + rules.window))


def record_accepted(
    state: WindowState, now: float, *, rules: WindowRules, permit: float, at: float, taken_at: float
) -> WindowState:
    """Record an accepted call; if its permit was taken after the last refusal, the probing ends."""
    state = record_ended(state, now, rules=rules, permit=permit, at=at)
    return replace(state, failing_since=0.0, probing=state.probing and taken_at < state.refused_at)


def record_refused(  # noqa: PLR0913 (the limiter binds all but the first two)
    state: WindowState, now: float, *, rules: WindowRules, permit: float, at: float, taken_at: float, asked: float
) -> WindowState:
    """Hold all workers after a refused call; `asked` is the value of Retry-After."""
    state = replace(state, permits=_without(state.permits, permit), refusals=_with(state.refusals, at + rules.window))
    return hold(state, now, rules=rules, taken_at=taken_at, asked=asked)


def hold(
    state: WindowState, now: float, *, rules: WindowRules, taken_at: float, least: float = 0.0, asked: float = 0.0
) -> WindowState:
    """Hold all workers until the oldest permit is free, and lower the limit at the second hold within two windows.

    `least` is the shortest hold. Calls that were sent before the last refusal was known belong to it and do not extend
    the hold. After a refused probe the hold is a full window.
    """
    if asked > GIVE_UP * rules.window:
        return replace(state, refused_at=now, held_until=max(state.held_until, now + asked), probing=True)
    if state.refused_at and taken_at < state.refused_at:
        return state
    recent = bool(state.refused_at) and now - state.refused_at <= RECENT * rules.window
    if recent and rules.calls is not None:
        state = replace(state, lowered_to=max(1, int(LOWERED * count_allowed(state, rules, now))), lowered_at=now)
    answered = [free_at for free_at in state.permits if free_at <= now + rules.window]
    oldest = answered[0] - now if answered and not state.failing_since else rules.window
    hold = min(max(oldest, least, asked), LONGEST_HOLD * rules.window)
    forgotten = now - state.refused_at > FORGOTTEN * rules.window
    return replace(
        state,
        refused_at=now,
        failing_since=now if forgotten or not state.failing_since else state.failing_since,
        held_until=max(state.held_until, now + hold),
        probing=True,
        edge=len(answered),
    )


def record_start(state: WindowState, now: float, *, rules: WindowRules) -> WindowState:
    """Let a new run send one call if an earlier run ended because the limit was used up."""
    if _find_long_wait(state, rules, now) is None:
        return state
    return replace(state, held_until=now, failing_since=0.0, probing=True)


def shift_clock(state: WindowState, later: float) -> WindowState:
    """Return the state by a clock that is ahead by some seconds."""
    times = ("lowered_at", "refused_at", "failing_since", "held_until")
    changes = {name: value + later for name in times if (value := getattr(state, name))}
    permits, refusals = (tuple(free_at + later for free_at in times) for times in (state.permits, state.refusals))
    return replace(state, permits=permits, refusals=refusals, **changes)


def merge(state: WindowState, other: WindowState) -> WindowState:
    """Return the union of two states of one account: the calls of both, the later refusal."""
    later = max(state, other, key=lambda each: each.refused_at)
    permits = tuple(sorted(state.permits + other.permits))
    return replace(later, permits=permits, refusals=tuple(sorted(state.refusals + other.refusals)))


def _find_long_wait(state: WindowState, rules: WindowRules, now: float) -> float | None:
    """Return the seconds until the next call, None if that is no longer than a run waits."""
    longest = GIVE_UP * rules.window
    if state.held_until - now > LONGEST_HOLD * rules.window:
        return state.held_until - now
    return rules.window if state.failing_since and state.refused_at - state.failing_since >= longest else None


def _is_careful(state: WindowState, rules: WindowRules, now: float) -> bool:
    """Return whether the API refused a call recently, or has not accepted one since."""
    return state.probing or (bool(state.refused_at) and now - state.refused_at <= RECENT * rules.window)


def _count_in_flight(state: WindowState, rules: WindowRules, now: float) -> int:
    """Return how many calls are not reported as ended."""
    return sum(free_at > now + rules.window for free_at in state.permits)


def _find_next_free(state: WindowState, rules: WindowRules, now: float, *, is_careful: bool) -> float:
    """Return the seconds until a permit may be free; a call in flight keeps its permit for at least a window."""
    if is_careful and _count_in_flight(state, rules, now):
        return rules.window / LOOKS
    times = sorted(state.permits + state.refusals)
    over = len(times) - count_allowed(state, rules, now)
    return min(rules.window, max(0.0, times[over] - now)) if 0 <= over < len(times) else 0.0


def _without(times: tuple[float, ...], removed: float) -> tuple[float, ...]:
    """Return times without one of them; a missing one was already free."""
    at = bisect_left(times, removed)
    return times[:at] + times[at + 1 :] if at < len(times) and times[at] == removed else times


def _with(times: tuple[float, ...], added: float) -> tuple[float, ...]:
    """Return times with one more, in ascending order."""
    at = bisect_left(times, added)
    return (*times[:at], added, *times[at:])
