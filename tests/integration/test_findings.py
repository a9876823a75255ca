"""Findings: opened once, seen again, fixed at the source, opened anew, and capped."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, text

from etl.ledger.quality import findings
from etl.values import Severity

TENANT, BATCH, LATER = "t", UUID(int=1), UUID(int=2)
RAW = UUID(int=9)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """Give a connection inside a transaction."""
    with engine.begin() as opened:
        yield opened


def found(source_id: str, field: str = "email", rule: str = "email-no-domain", raw_value: str | None = "ada@") -> Any:
    """Return a finding as a row in the order of the columns."""
    return ("contacts", source_id, field, rule, Severity.DROPPED, f"{field} is bad", raw_value, RAW)


def keep(connection: Connection, source_ids: str, *rows: Any, batch: UUID = BATCH, resource: str = "contacts") -> int:
    """Keep the findings of the newest versions of some records, named by one letter each."""
    return findings.write_findings(connection, TENANT, resource, batch, list(source_ids), rows)


def kept(connection: Connection) -> list[tuple[str, str, str, int]]:
    """Return every finding's record, field, state and how often it was seen."""
    query = text("SELECT source_id, field, state, times_seen FROM etl.findings ORDER BY source_id, field, rule")
    return [(row.source_id, row.field, row.state, row.times_seen) for row in connection.execute(query)]


def test_a_finding_is_opened_with_all_that_is_known_of_it(connection: Connection) -> None:
    assert keep(connection, "a", found("a")) == 1
    row = connection.execute(text("SELECT * FROM etl.findings")).mappings().one()
    assert (row["tenant"], row["resource"], row["table_name"]) == (TENANT, "contacts", "contacts")
    assert (row["rule"], row["severity"], row["message"]) == ("email-no-domain", "dropped", "email is bad")
    assert (row["raw_value"], row["raw_id"], row["batch_id"], row["state"]) == ("ada@", RAW, BATCH, "open")


def test_a_finding_that_comes_again_is_the_same_one(connection: Connection) -> None:
    keep(connection, "a", found("a"))
    keep(connection, "a", found("a", raw_value="grace@"), batch=LATER)
    assert kept(connection) == [("a", "email", "open", 2)]
    row = connection.execute(text("SELECT raw_value, batch_id FROM etl.findings")).one()
    assert tuple(row) == ("grace@", LATER)


def test_a_finding_that_a_newer_version_no_longer_has_is_fixed(connection: Connection) -> None:
    keep(connection, "ab", found("a"), found("a", "phone", "phone-short"), found("b"))
    keep(connection, "a", found("a", "phone", "phone-short"), batch=LATER)
    assert kept(connection) == [("a", "email", "fixed", 1), ("a", "phone", "open", 2), ("b", "email", "open", 1)]


def test_a_fixed_finding_that_comes_back_is_open_again(connection: Connection) -> None:
    keep(connection, "a", found("a"))
    keep(connection, "a")
    keep(connection, "a", found("a"))
    assert kept(connection) == [("a", "email", "open", 2)]


def test_records_that_were_not_looked_at_keep_their_findings(connection: Connection) -> None:
    keep(connection, "ab", found("a"), found("b"))
    keep(connection, "", found("c"))
    assert [(one, state) for one, _, state, _ in kept(connection)] == [("a", "open"), ("b", "open"), ("c", "open")]


def test_resources_that_fill_one_table_have_findings_of_their_own(connection: Connection) -> None:
    keep(connection, "a", found("a"))
    keep(connection, "a", resource="account_info")
    assert kept(connection) == [("a", "email", "open", 1)]


def test_one_rule_complains_of_a_field_once(connection: Connection) -> None:
    assert keep(connection, "a", found("a", raw_value="x"), found("a", raw_value="y")) == 2
    assert kept(connection) == [("a", "email", "open", 1)]


def test_a_broken_feed_does_not_flood_the_table(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "CAP", 3)
    rows = [found(f"r{number}") for number in range(10)] + [found("r0", "phone", "phone-short")]
    assert findings.write_findings(connection, TENANT, "contacts", BATCH, [f"r{number}" for number in range(10)], rows) == 11
    by_rule = connection.execute(text("SELECT rule, count(*) FROM etl.findings GROUP BY rule ORDER BY rule")).all()
    assert [tuple(row) for row in by_rule] == [("email-no-domain", 3), ("phone-short", 1)]


def test_hostile_values_arrive_as_they_are(connection: Connection) -> None:
    hostile = "tab\there, newline\nhere, \\N, \\. and 'quotes'"
    keep(connection, "a", found("a", raw_value=hostile))
    assert connection.execute(text("SELECT raw_value FROM etl.findings")).scalar_one() == hostile


def test_a_transaction_may_keep_findings_many_times(connection: Connection) -> None:
    for batch in range(3):
        keep(connection, "a", found("a"), batch=UUID(int=batch))
    assert kept(connection) == [("a", "email", "open", 3)]
