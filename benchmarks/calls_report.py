"""The tables of the benchmark of calls: calls by kind, forecasts beside what was then called, and the targets."""

from collections.abc import Iterator, Sequence

from benchmarks.calls_book import SET
from benchmarks.calls_figures import Life, Period, Useful
from benchmarks.pacing import AIMS, Outcome
from benchmarks.table import markdown
from etl.call_estimate import Estimate
from etl.resources import BY_NAME
from etl.simulator.routes import find
from etl.status.format import format_duration, format_number

#: What the targets ask for: calls, minutes at the limit, and the largest difference of a forecast.
MOST_CURRENT, MOST_COMPLETE, MOST_A_DAY, MOST_IDLE = 25_000, 35_000, 1_500, 8
USEFUL_MINUTES = 5.0
FORECAST_DIFFERENCE = 0.10
LARGE_PAGE = 500
Row = list[str]


def format_periods(periods: Sequence[Period]) -> str:
    """Return the calls by kind, and the figures of each period."""
    kinds = sorted({kind for period in periods for kind in period.calls})
    rows = [[kind, *(format_number(period.calls[kind]) for period in periods)] for kind in kinds]
    rows.append(["**calls**", *(format_number(period.accepted) for period in periods)])
    rows.append(["refused", *(format_number(period.refused) for period in periods)])
    rows.append(["changed records", *(format_number(period.changed) for period in periods)])
    rows.append(["at the limit", *(format_time(period.accepted) for period in periods)])
    rows.append(["as measured", *(format_minutes(period.minutes) if period.minutes else "" for period in periods)])
    rows.append(["limit used", *(f"{period.used:.1%}" if period.minutes else "" for period in periods)])
    return markdown(["", *(period.label for period in periods)], rows)


def format_forecasts(life: Life) -> str:
    """Return the forecasts of the first sync beside the calls that it made: of lists, and of each kind of detail."""
    made = {name: sum(life.first.calls[kind] for kind in kinds_of(name)) for name in life.due}
    lists = sum((calls for name, calls in life.before.items() if BY_NAME[name].parent is None), Estimate(0, 0))
    details = sum((calls for name, calls in life.before.items() if BY_NAME[name].parent is not None), Estimate(0, 0))
    rows = [["lists", format_range(lists), "", format_number(life.first.accepted - sum(made.values())), ""]]
    rows += [format_forecast(name, life.before.get(name), life.due[name], made[name]) for name in made]
    rows.append(format_forecast("**all details**", details, sum(life.due.values()), sum(made.values())))
    return markdown(["", "before the sync", "lists read", "calls made", "difference"], rows)


def kinds_of(resource: str) -> set[str]:
    """Return the kinds of call with which a resource is read."""
    found = [find(endpoint.path.replace("{parent}", "1")) for endpoint in BY_NAME[resource].endpoints]
    return {match[0].name for match in found if match is not None}


def format_forecast(label: str, before: Estimate | None, due: int, made: int) -> Row:
    """Return the row of one kind of detail."""
    return [label, format_range(before), format_number(due), format_number(made), f"{difference(due, made):+.1%}"]


def difference(forecast: int, made: int) -> float:
    """Return by which share of the calls made a forecast was too high."""
    return (forecast - made) / max(1, made)


def format_range(calls: Estimate | None) -> str:
    """Return a range of calls."""
    if calls is None:
        return ""
    return format_number(calls.high) if calls.is_exact else f"{format_number(calls.low)} to {format_number(calls.high)}"


def format_targets(lives: Sequence[Life], useful: Sequence[Useful], paces: Sequence[Outcome]) -> str:
    """Return the targets for calls, with what was measured."""
    rows = [*list_usefuls(useful), *list_lives(lives), *list_paces(paces)]
    return markdown(["target", "required", "measured", ""], rows)


def list_usefuls(useful: Sequence[Useful]) -> Iterator[Row]:
    """Yield the rows about the useful database."""
    for measured in useful:
        is_large = measured.page_size >= LARGE_PAGE
        minutes = measured.minutes if is_large else measured.minutes_without_billing
        what = "useful database" if is_large else "useful without billing"
        calls = f", {format_number(measured.calls)} calls" if is_large else ""
        shown = f"{format_minutes(minutes)}{calls}"
        yield row(f"{what}, pages of {measured.page_size}", "5 min", shown, met=minutes <= USEFUL_MINUTES)


def list_lives(lives: Sequence[Life]) -> Iterator[Row]:
    """Yield the rows about the first sync and the days afterwards."""
    for life in lives:
        changed = f", {life.book.changed:.0%} changed"
        first = life.first
        yield at_most(f"current{changed}", MOST_CURRENT, first.current_calls)
        yield at_most(f"complete{changed}", MOST_COMPLETE, first.accepted)
        yield at_most(f"a quiet day{changed}", MOST_A_DAY, max((day.accepted for day in life.days), default=0))
        yield at_most(f"a run without changes{changed}", MOST_IDLE, life.idle.accepted)
        made = sum(first.calls[kind] for name in life.due for kind in kinds_of(name))
        wrong = difference(sum(life.due.values()), made)
        yield row(
            f"forecast, lists read{changed}", "within 10 %", f"{wrong:+.1%}", met=abs(wrong) <= FORECAST_DIFFERENCE
        )


def list_paces(paces: Sequence[Outcome]) -> Iterator[Row]:
    """Yield the rows about the use of the limit."""
    for pace in paces:
        least, most = AIMS[pace.others]
        scene = "with another integration" if pace.others else "only our workers"
        yield row(f"limit used, {scene}", f"{least:.0%}", f"{pace.used:.1%}", met=pace.used >= least)
        yield row(f"refused calls, {scene}", f"at most {most:.1%}", f"{pace.share:.2%}", met=pace.share <= most)


def at_most(what: str, most: int, calls: int) -> Row:
    """Return the row of a target that is a number of calls."""
    return row(what, f"{format_number(most)} calls", f"{format_number(calls)}: {format_time(calls)}", met=calls <= most)


def row(what: str, required: str, measured: str, *, met: bool) -> Row:
    """Return the row of a target."""
    return [what, required, measured, "met" if met else "**not met**"]


def format_time(calls: int) -> str:
    """Return how long calls take at the limit."""
    return format_minutes(calls / SET)


def format_minutes(minutes: float) -> str:
    """Return minutes of the limit as a duration."""
    return format_duration(minutes * 60)
