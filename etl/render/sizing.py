"""The figures of the page on sizing: calls and hours of three books, by the arithmetic of the forecast."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from etl.config.parsers import parse_refresh_ages
from etl.config.rate_limit import DEFAULT, parse_rate_limit
from etl.config.settings import Settings
from etl.pipeline.forecast.book_calls import (
    RUNS_A_DAY,
    SIGN_IN,
    Book,
    Ways,
    count_day,
    count_details,
    count_first_sync,
    count_lists,
    list_feeds,
    list_resources,
)
from etl.resources import USEFUL
from etl.status.format import format_duration, format_number

LIMIT = parse_rate_limit(DEFAULT)
#: Pages of feeds: the largest that some accounts accept, and one that all accept.
LARGE, SMALL = 500, 100
#: The ages at which details are read again by default.
REFRESH_DAYS = tuple(age.days for age in parse_refresh_ages(Settings.model_fields["etl_refresh_age"].default))
#: How details are read now, and how a program reads them that makes a call for every detail of every record.
FEEDS = len(list(list_feeds()))
NOW = Ways(
    everything=False,
    lists_a_run=SIGN_IN + FEEDS,
    lists_a_day=len(list(list_resources())) - FEEDS,
    refresh_days=REFRESH_DAYS,
)
BEFORE = Ways(everything=True, lists_a_run=20, lists_a_day=0, refresh_days=(7, 30))
#: The book of the performance targets, and one of a third and one of four times its size.
MIDDLE = Book(
    customers=5_000, policies=12_000, in_force=4_300, recent=3_700, placed=2_400, billing=60_000, other_contacts=800
)
AGENCIES = 300


def scale(book: Book, factor: float) -> Book:
    """Return a book of the same shape and another size."""
    sizes = ("customers", "policies", "in_force", "recent", "placed", "billing", "other_contacts")
    return replace(book, **{name: round(getattr(book, name) * factor) for name in sizes})


BOOKS: Mapping[str, Book] = {"small": scale(MIDDLE, 1 / 3), "middle": MIDDLE, "large": scale(MIDDLE, 4)}

#: The rows of the table: a label, and the calls of a book.
ROWS: Mapping[str, Callable[[Book], int]] = {
    f"useful, pages of {LARGE}": lambda book: count_first_sync(book, LARGE).useful,
    f"useful without billing, pages of {SMALL}": lambda book: count_first_sync(book, SMALL).without_billing,
    f"useful, pages of {SMALL}": lambda book: count_first_sync(book, SMALL).useful,
    "current": lambda book: count_first_sync(book, LARGE).current,
    "complete": lambda book: count_first_sync(book, LARGE).complete,
    f"complete, pages of {SMALL}": lambda book: count_first_sync(book, SMALL).complete,
    "complete, 90 % of policies changed": lambda book: count_first_sync(replace(book, changed=0.9), LARGE).complete,
}
#: The calls in an explanation: what each is for, and their number.
Parts = Mapping[str, int]
#: What the calls for details are for, by resource, in order of extraction.
DETAILS = {
    "employee_list": "staff of the offices",
    "account_info": "accounts of customers",
    "documents": "documents of customers",
    "policy_details": "details of policies",
    "adjustments": "adjustments of policies",
    "quotes": "quotes of policies",
}


def explain_first_sync(book: Book, *, everything: bool) -> Parts:
    """Return the calls of a first sync by what they are for."""
    lists = count_lists(book, LARGE)
    pages = {f"pages of {name.replace('_', ' ')}": lists[name] for name in USEFUL}
    details = count_details(book, everything=everything)
    return {
        "signing in": SIGN_IN,
        **pages,
        "other lists": sum(calls for name, calls in lists.items() if name not in USEFUL),
        **{label: details[name] for name, label in DETAILS.items()},
    }


def explain_day(book: Book, ways: Ways) -> Parts:
    """Return the calls of a day by what they are for."""
    day = count_day(book, ways)
    return {
        f"{RUNS_A_DAY} hourly runs": day.runs,
        "lists read once a day": day.lists,
        "details of changed records": day.changed,
        "active records, by age": day.active,
        "other records, by age": day.others,
    }


def sizing_parts() -> dict[str, str]:
    """Return the tables and figures of the page."""
    complete = count_first_sync(MIDDLE, LARGE).complete
    return {
        "limit": str(LIMIT.calls),
        "sizes": format_sizes(),
        "first": format_table(ROWS),
        "first_parts": format_parts(lambda book, ways: explain_first_sync(book, everything=ways.everything)),
        "day_parts": format_parts(explain_day),
        "a_day": format_number(round(LIMIT.per_second * 86_400)),
        "active_days": str(REFRESH_DAYS[0]),
        "other_days": str(REFRESH_DAYS[1]),
        "a_run": str(NOW.lists_a_run),
        "together": format_number(round(LIMIT.per_second * AGENCIES)),
        "hours": f"{LIMIT.seconds_for(complete) / 3600:.0f}",
    }


def format_sizes() -> str:
    """Return the rows of the table that describes the sizes."""
    rows = [("", *BOOKS), ("---", *("---" for _ in BOOKS))]
    for label, name in (
        ("customers", "customers"),
        ("policies", "policies"),
        ("of them in force or pending", "in_force"),
        ("of them ended within 13 months", "recent"),
        ("of them pending, or within 120 days of their effective date", "placed"),
        ("invoices and payments", "billing"),
    ):
        rows.append((label, *(format_number(getattr(book, name)) for book in BOOKS.values())))
    return format_rows(rows)


def format_table(rows: Mapping[str, Callable[[Book], int]]) -> str:
    """Return a table of calls and their time, a column a book."""
    lines = [("", *BOOKS), ("---", *("---" for _ in BOOKS))]
    lines += [(label, *(format_cell(count(book)) for book in BOOKS.values())) for label, count in rows.items()]
    return format_rows(lines)


def format_parts(explain: Callable[[Book, Ways], Parts]) -> str:
    """Return a table of what calls are for: now and before, two columns a book, and their sums and times."""
    parts = [explain(book, ways) for book in BOOKS.values() for ways in (NOW, BEFORE)]
    sums = [sum(part.values()) for part in parts]
    labels = [label for label in parts[0] if any(part[label] for part in parts)]
    rows = [
        ["", *(f"{name}, {way}" for name in BOOKS for way in ("now", "before"))],
        ["---", *("---:" for _ in parts)],
        *([label, *(format_number(part[label]) for part in parts)] for label in labels),
        ["**calls**", *map(format_number, sums)],
        ["**time**", *map(format_call_time, sums)],
    ]
    return format_rows(rows)


def format_rows(rows: Sequence[Sequence[str]]) -> str:
    """Return the lines of a table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def format_cell(calls: int) -> str:
    """Return calls and their time at the default limit."""
    return f"{format_number(calls)}: {format_call_time(calls)}"


def format_call_time(calls: int) -> str:
    """Return the time of calls at the default limit."""
    return format_duration(round(LIMIT.seconds_for(calls) / 60) * 60 or 60)
