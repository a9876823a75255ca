"""The two queries of "Query history" return the right rows: daylight saving time, deletions, revivals."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pytest
from pages import examples
from sqlalchemy import Engine, text

from etl.models.base import row_id

PAGE = "docs/how-to/query-history.md"
ZONES = ("UTC", "America/Los_Angeles", "Pacific/Auckland")
IDS = {name: row_id("t", table, "1") for name, table in {
    "contact": "contacts", "policy": "policies", "coverage": "coverages"}.items()}  # fmt: skip


def find_query(words: str) -> str:
    """Return the query on the page that contains these words, without its semicolon."""
    (query,) = (example.text for example in examples("sql") if example.page == PAGE and words in example.text)
    return query.strip().rstrip(";")


IN_FORCE = find_query("claim.date_of_loss, policy.policy_number")
SHOWN = find_query("@> now()")


class Book:
    """A policy with a coverage; each change is a separate transaction."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.write("INSERT INTO contacts (id, tenant, source_id, status) VALUES (:contact, 't', '1', 'A')")
        self.write("""
            INSERT INTO policies (id, tenant, source_id, contact_id, policy_number, status,
                                  source_created_at, version_at)
            VALUES (:policy, 't', '1', :contact, 'P-1', 'first', '2026-01-01Z', '2026-01-01Z')
        """)

    def write(self, statement: str, **bound: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), {**IDS, **bound})

    def policy(self, at: str, **columns: Any) -> None:
        """Store a newer version of the policy."""
        new = ", ".join(f"{name} = :{name}" for name in columns)
        self.write(
            f"UPDATE policies SET {new}, version_at = :at, updated_at = now() WHERE id = :policy", at=at, **columns
        )

    def coverage(self, at: str) -> None:
        self.write("""
            INSERT INTO coverages (id, tenant, source_id, policy_id, code, source_created_at, version_at)
            VALUES (:coverage, 't', '1', :policy, 'BI', :at, :at)
        """, at=at)  # fmt: skip

    def loss(self, *days: date) -> None:
        """Store claims for losses on these days."""
        for day in days:
            self.write("""
                INSERT INTO claims (id, tenant, source_id, policy_id, claim_number, date_of_loss, status)
                VALUES (gen_random_uuid(), 't', :number, :policy, :number, :day, 'O')
            """, number=f"C-{day}", day=day)  # fmt: skip

    def now(self) -> datetime:
        """Return the database's time, later than all earlier writes."""
        with self.engine.connect() as connection:
            return connection.execute(text("SELECT clock_timestamp()")).scalar_one()  # type: ignore[no-any-return]

    def fetch(self, query: str, zone: str = "UTC") -> list[Mapping[str, Any]]:
        """Return the rows of a query in a session with this time zone."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT set_config('timezone', :zone, true)"), {"zone": zone})
            return [dict(row) for row in connection.execute(text(query)).mappings()]

    def in_force(self, zone: str = "UTC") -> dict[date, tuple[Any, Any]]:
        """Return the status and coverage in force on the day of each loss."""
        return {row["date_of_loss"]: (row["status"], row["code"]) for row in self.fetch(IN_FORCE, zone)}

    def shown(self, at: datetime) -> list[Any]:
        """Return the statuses of the policies shown at a given time."""
        return [row["status"] for row in self.fetch(SHOWN.replace("now()", f"timestamptz '{at.isoformat()}'"))]


@pytest.fixture
def book(engine: Engine) -> Book:
    return Book(engine)


@pytest.mark.parametrize("zone", ZONES)
def test_in_force_is_evaluated_at_noon_in_the_zone_of_the_agency(book: Book, zone: str) -> None:
    """In New York noon is 17:00 UTC in winter and 16:00 in summer, which begins and ends on the days of two losses."""
    winter, begins, ends, after = (date(2026, 3, 7), date(2026, 3, 8), date(2026, 11, 1), date(2026, 11, 2))
    book.policy("2026-03-07 16:30Z", status="half an hour before noon of a winter's day")
    book.policy("2026-03-08 16:30Z", status="half an hour after noon of the first day of summer")
    book.policy("2026-11-01 16:30Z", status="half an hour before noon of the first day of winter")
    book.loss(winter, begins, ends, after)
    in_force = book.in_force(zone)
    assert {day: status for day, (status, _) in in_force.items()} == {
        winter: "half an hour before noon of a winter's day",
        begins: "half an hour before noon of a winter's day",
        ends: "half an hour before noon of the first day of winter",
        after: "half an hour before noon of the first day of winter",
    }


def test_a_policy_is_in_force_before_its_deletion_and_after_its_revival(book: Book) -> None:
    before, between, again = date(2026, 2, 1), date(2026, 4, 1), date(2026, 6, 1)
    book.policy("2026-03-01Z", status="D", deleted_at="2026-03-01Z")
    book.policy("2026-05-01Z", status="revived", deleted_at=None)
    book.loss(before, between, again, date(2025, 12, 31))
    assert book.in_force() == {before: ("first", None), again: ("revived", None)}


def test_a_missing_coverage_was_in_force_until_it_was_deleted(book: Book) -> None:
    book.coverage("2026-02-01Z")
    book.write("UPDATE coverages SET deleted_at = now(), updated_at = now() WHERE id = :coverage")
    without, with_it, later = date(2026, 1, 15), date(2026, 3, 1), date(2100, 1, 1)
    book.loss(without, with_it, later)
    assert book.in_force() == {without: ("first", None), with_it: ("first", "BI"), later: ("first", None)}


def test_a_coverage_whose_deletion_is_reversed_was_always_in_force(book: Book) -> None:
    book.coverage("2026-02-01Z")
    for deleted_at in ("now()", "NULL"):
        book.write(f"UPDATE coverages SET deleted_at = {deleted_at}, updated_at = now() WHERE id = :coverage")
    book.loss(date(2026, 3, 1))
    assert book.in_force() == {date(2026, 3, 1): ("first", "BI")}


def test_shown_follows_arrival_and_in_force_follows_the_source(book: Book) -> None:
    moments = [book.now()]
    book.policy("2026-02-01Z", status="misread")
    moments.append(book.now())
    book.policy("2026-02-01Z", status="corrected")
    moments.append(book.now())
    book.policy("2026-03-01Z", status="D", deleted_at="2026-03-01Z")
    moments.append(book.now())
    book.policy("2026-04-01Z", status="revived", deleted_at=None)
    moments.append(book.now())
    assert [book.shown(moment) for moment in moments] == [["first"], ["misread"], ["corrected"], [], ["revived"]]
    book.loss(date(2026, 2, 15))
    assert book.in_force() == {date(2026, 2, 15): ("corrected", None)}, "the misread status was never in force"
