"""The window of the call limit over virtual time: never more than the limit, nearly all of it, room for others."""

import random
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from virtual_time import LimitedApi, most_in_a_window, work

from etl.api.rate_limit.window import (
    GIVE_UP,
    LONGEST_HOLD,
    WindowRules,
    WindowState,
    count_allowed,
    hold,
    merge,
    record_accepted,
    record_ended,
    record_refused,
    record_start,
    return_unused,
    shift_clock,
    take,
)

RULES = WindowRules(calls=58, window=60.0, timeout=60.0)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    calls=st.integers(1, 60),
    window=st.sampled_from([1.0, 6.0, 60.0]),
    workers=st.integers(1, 4),
    latency=st.floats(0.01, 0.5),
)
@example(seed=1, calls=58, window=60.0, workers=4, latency=0.1)
def test_no_window_of_the_server_sees_more_calls_than_the_limit(
    seed: int, calls: int, window: float, workers: int, latency: float
) -> None:
    api = LimitedApi(calls=60, window=window, dice=random.Random(seed), latency=latency)
    work(api, calls=calls, workers=workers, windows=3)
    assert most_in_a_window(api.arrivals, window) <= calls
    assert api.refused == 0


@pytest.mark.parametrize(("window", "least"), [(60.0, 0.98), (6.0, 0.97), (1.0, 0.85)])
@pytest.mark.parametrize("is_fixed", [False, True])
@pytest.mark.parametrize("workers", [1, 4])
def test_without_other_users_of_the_account_nearly_all_of_the_limit_is_used(
    window: float, least: float, is_fixed: bool, workers: int
) -> None:
    api = LimitedApi(60, window, random.Random(1), is_fixed=is_fixed)
    work(api, calls=58, workers=workers, windows=12)
    assert api.accepted / 12 / 58 >= least
    assert api.refused_share <= 0.005


@pytest.mark.parametrize("is_fixed", [False, True])
@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("left", [50, 40])
def test_what_another_integration_leaves_is_used(left: int, is_fixed: bool, workers: int) -> None:
    api = LimitedApi(left, 60.0, random.Random(1), is_fixed=is_fixed)
    work(api, calls=58, workers=workers, windows=20)
    assert api.accepted / 20 / left >= 0.8
    assert api.refused_share <= 0.03


@pytest.mark.parametrize("is_fixed", [False, True])
def test_an_integration_that_calls_at_its_own_moments_is_given_way(is_fixed: bool) -> None:
    api = LimitedApi(60, 60.0, random.Random(1), is_fixed=is_fixed)
    work(api, calls=58, windows=30, others=20)
    others = len(api.taken) - api.accepted
    assert api.accepted / (30 * 60 - others) >= 0.8
    assert api.refused_share <= 0.03


def test_a_lowered_limit_rises_by_one_call_a_window_up_to_the_setting() -> None:
    state = WindowState(lowered_to=50, lowered_at=1000.0)
    assert [count_allowed(state, RULES, 1000.0 + 60 * windows) for windows in (0, 0.9, 1, 2, 8, 80)] == [
        50,
        50,
        51,
        52,
        58,
        58,
    ]


def test_a_lone_refusal_only_holds_and_a_second_within_two_windows_lowers_by_a_tenth() -> None:
    once = hold(WindowState(), 1000.0, rules=RULES, taken_at=999.0)
    assert (once.lowered_to, once.held_until) == (None, 1060.0)
    part_of_it = hold(once, 1001.0, rules=RULES, taken_at=999.5)
    assert part_of_it == once
    assert hold(once, 1121.0, rules=RULES, taken_at=1061.0).lowered_to is None
    assert hold(once, 1100.0, rules=RULES, taken_at=1061.0).lowered_to == 52


def test_a_refusal_holds_until_the_oldest_permit_is_free_or_as_long_as_was_asked() -> None:
    state = WindowState(permits=(1010.0, 1020.0, 1110.0))
    report = partial(record_refused, state, 1000.0, rules=RULES, permit=1110.0, at=1000.0, taken_at=990.0)
    assert report(asked=0.0).held_until == 1010.0
    assert report(asked=30.0).held_until == 1030.0
    assert report(asked=200.0).held_until == 1000.0 + LONGEST_HOLD * 60
    assert report(asked=0.0).edge == 2
    assert report(asked=GIVE_UP * 60 + 1).held_until == 1901.0


def test_after_a_hold_one_call_goes_by_itself_and_its_answer_lets_the_others_go() -> None:
    state = hold(WindowState(), 1000.0, rules=RULES, taken_at=999.0)
    assert take(state, RULES, 1030.0, 8).granted == 0
    probe = take(state, RULES, 1060.0, 8)
    assert probe.granted == 1
    assert take(probe.state, RULES, 1061.0, 8).granted == 0
    state = record_accepted(probe.state, 1061.0, rules=RULES, permit=probe.permit, at=1061.0, taken_at=1060.0)
    assert take(replace(state, edge=20), RULES, 1062.0, 8).granted == 8


def test_a_probe_that_ends_without_a_word_is_followed_by_another() -> None:
    probe = take(hold(WindowState(), 1000.0, rules=RULES, taken_at=999.0), RULES, 1060.0, 1)
    state = record_ended(probe.state, 1061.0, rules=RULES, permit=probe.permit, at=1061.0)
    assert take(state, RULES, 1062.0, 8).granted == 1


def test_a_permit_is_free_one_window_after_its_response_and_a_crashed_workers_after_the_timeout_too() -> None:
    rules = WindowRules(calls=2, window=60.0, timeout=30.0)
    both = take(WindowState(), rules, 1000.0, 3)
    assert (both.granted, both.permit) == (2, 1090.0)
    one_ended = record_ended(both.state, 1001.0, rules=rules, permit=both.permit, at=1001.0)
    assert [take(one_ended, rules, now, 2).granted for now in (1060.9, 1061.0, 1089.9, 1090.0)] == [0, 1, 1, 2]
    assert take(return_unused(both.state, 1001.0, permit=both.permit), rules, 1001.0, 2).granted == 1


def test_15_windows_without_an_accepted_call_use_the_limit_up_and_a_new_run_asks_once() -> None:
    state, now, refusals = WindowState(), 1000.0, 0
    while (taken := take(state, RULES, now, 1)).used_up is None:
        state = record_refused(taken.state, now, rules=RULES, permit=taken.permit, at=now, taken_at=now, asked=0.0)
        now, refusals = state.held_until, refusals + 1
    assert (taken.used_up, refusals) == (60.0, 16)
    state = record_start(state, now, rules=RULES)
    assert take(state, RULES, now, 8).granted == 1


def test_scattered_refusals_of_the_past_do_not_add_up() -> None:
    state = WindowState()
    for now in range(1000, 100_000, 1000):
        state = hold(state, float(now), rules=RULES, taken_at=now - 1.0)
    assert state.lowered_to is None
    assert take(state, RULES, 200_000.0, 1).used_up is None


def test_states_of_two_clocks_are_merged() -> None:
    file = shift_clock(WindowState(permits=(10.0, 20.0), refused_at=5.0), 1000.0)
    both = merge(WindowState(permits=(1015.0,)), file)
    assert (both.permits, both.refused_at) == ((1010.0, 1015.0, 1020.0), 1005.0)
