"""The page on sizing: calls and hours of three books, computed by the arithmetic of the forecast."""

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


def sizing_page() -> str:
    """Return the page."""
    complete = count_first_sync(MIDDLE, LARGE).complete
    minutes = LIMIT.seconds_for(complete) / 60
    return PAGE.format(
        limit=LIMIT.calls,
        sizes=format_sizes(),
        first=format_table(ROWS),
        first_parts=format_parts(lambda book, ways: explain_first_sync(book, everything=ways.everything)),
        day_parts=format_parts(explain_day),
        large_page=LARGE,
        small_page=SMALL,
        before_run=BEFORE.lists_a_run,
        before_active=BEFORE.refresh_days[0],
        before_others=BEFORE.refresh_days[1],
        a_day=format_number(round(LIMIT.per_second * 86_400)),
        active_days=REFRESH_DAYS[0],
        other_days=REFRESH_DAYS[1],
        a_run=NOW.lists_a_run,
        policies=format_number(MIDDLE.policies),
        customers=format_number(MIDDLE.customers),
        agencies=AGENCIES,
        together=format_number(round(LIMIT.per_second * AGENCIES)),
        hours=f"{minutes / 60:.0f}",
        slots=20,
        days=-(-AGENCIES // 20),
    )


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
        ["**time**", *map(format_time, sums)],
    ]
    return format_rows(rows)


def format_rows(rows: Sequence[Sequence[str]]) -> str:
    """Return the lines of a table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def format_cell(calls: int) -> str:
    """Return calls and their time at the default limit."""
    return f"{format_number(calls)}: {format_time(calls)}"


def format_time(calls: int) -> str:
    """Return the time of calls at the default limit."""
    return format_duration(round(LIMIT.seconds_for(calls) / 60) * 60 or 60)


PAGE = """# Sizing

How many calls, hours, workers and connections a book of business takes. Rendered by `python -m etl.render` from
the arithmetic that `qqetl sync --dry-run`, `qqetl status` and `qqetl doctor` use. They print the figures of your
own account.

## What takes time

QQCatalyst lets an account make 60 calls a minute. qqetl makes {limit} (`ETL_RATE_LIMIT`) and leaves two for people
who use the account at the same time. Lists are cheap: one call brings up to 500 records. Details are not: one call
brings those of one customer or one policy. So nearly all of the time is spent on details.

| what | calls |
|---|---|
| a feed or list | one for each page |
| an office | two for its staff |
| a customer | one for the account, one for the documents |
| a policy | one for the policy's details |
| quotes | one for a policy that is pending, or within 120 days of its effective date |
| adjustments | one for a policy that was ever changed, and a sample of twenty others |
| carriers, managing agencies, staff | none |
| a prospect | none, unless a live policy names the prospect, or `ETL_RESOURCES=+prospect_details` is set |

Details are read in the order of their value: policies in force and pending first, those that expire within 90 days
before the others; then customers; then policies that ended within 13 months; policies that ended long ago last.

## Three books

{sizes}

Half of the policies were ever changed. Calls that only some accounts offer (claims, coverages, equipment, ACORD
forms, applications, commissions) are not included, and neither are optional resources.

## The first sync

Calls, and their time at {limit} calls a minute:

{first}

- **Useful** means that offices, contacts, policies and billing are read.
- **Current** means that details are read of customers, and of policies in force, pending or ended within 13
  months.
- **Complete** means that all details are read.
- **Pages of {small_page}** are for accounts that accept no larger ones. The lists take five times as many calls then;
  the details take the same.

The arithmetic, with pages of {large_page}. **Before** is a call for every kind of detail of every policy and contact,
carriers and staff included, as the first versions made them:

{first_parts}

## A day afterwards

A quiet day changes 1 % of customers and policies. **Before**, an hourly run made {before_run} calls, and details
were read again after {before_active} days, or {before_others} days for what is not active.

{day_parts}

An hourly run without changes makes {a_run} calls: one to sign in, and one for each feed. Changed records take
their calls at once. The rest of a day's calls refresh details by age: after {active_days} days for what is active,
after {other_days} days for the rest. What a first sync reads is read again on different days, so that one day is
like another. The limit allows {a_day} calls a day, so the agency's other integrations
keep most of them.

## What limits next

1. **The account's call limit.** All workers of an account share its {limit} calls a minute. More workers help to
   clean and load a large book and to serve many accounts, but do not make one account's calls faster.
2. **The machine that cleans and loads.** Feeds come in pages of 500, and without a call limit a processor would be
   the limit. [The benchmarks](../../benchmarks/README.md) say how many records a second one machine takes.
3. **Airflow's scheduler.** An agency takes about ten tasks an hour. For hundreds of agencies, start their runs at
   different minutes, and watch the time that tasks are queued.
4. **PostgreSQL.** All accounts share it. Most of what is written is the JSON of staging. Give it memory for
   `shared_buffers` and a `max_wal_size` of some gigabytes before the first syncs. A task slot holds up to 5
   connections: two workers that write, one that reads, one that renews the lease, and one that plans. The product
   works through a transaction pooler such as PgBouncer. Beyond some hundred agencies, one database for every fifty
   is simpler than a larger one: tenants share nothing but the tables.

## Many agencies

Each account has its own call limit. So {agencies} first syncs of middle books at once make {together} calls a
second on {agencies} task slots, for {hours} hours. To need fewer slots, start with {slots} agencies a day on
{slots} task slots. All of them then take {days} days. The order does not matter, and an interrupted agency resumes
where it stopped.
"""
