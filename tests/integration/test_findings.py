"""Findings: opened, repeated, fixed at the source, reopened and capped."""

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
    """Yield a connection inside a transaction."""
    with engine.begin() as opened:
        yield opened


def found(source_id: str, field: str = "email", rule: str = "email-no-domain", raw_value: str | None = "ada@") -> Any:
    """Return a finding as a row in the order of the columns."""
    return ("contacts", source_id, field, rule, Severity.DROPPED, f"{field} is bad", raw_value, RAW)


def keep(connection: Connection, source_ids: str, *rows: Any, batch: UUID = BATCH, resource: str = "contacts") -> int:
    """Write the findings of the newest versions of some records with one-letter ids."""
    return findings.write_findings(connection, TENANT, resource, batch, list(source_ids), rows)


def kept(connection: Connection) -> list[tuple[str, str, str, int]]:
    """Return the record, field, state and repetitions of every finding."""
    query = text("SELECT source_id, field, state, times_seen FROM etl.findings ORDER BY source_id, field, rule")
    return [(row.source_id, row.field, row.state, row.times_seen) for row in connection.execute(query)]


def test_a_finding_is_stored_with_all_its_fields(connection: Connection) -> None:
    assert keep(connection, "a", found("a")) == 1
    row = connection.execute(text("SELECT * FROM etl.findings")).mappings().one()
    assert (row["tenant"], row["resource"], row["table_name"]) == (TENANT, "contacts", "contacts")
    assert (row["rule"], row["severity"], row["message"]) == ("email-no-domain", "dropped", "email is bad")
    assert (row["raw_value"], row["raw_id"], row["batch_id"], row["state"]) == ("ada@", RAW, BATCH, "open")


def test_a_repeated_finding_updates_its_row(connection: Connection) -> None:
    keep(connection, "a", found("a"))
    keep(connection, "a", found("a", raw_value="grace@"), batch=LATER)
    assert kept(connection) == [("a", "email", "open", 2)]
    row = connection.execute(text("SELECT raw_value, batch_id FROM etl.findings")).one()
    assert tuple(row) == ("grace@", LATER)


def test_a_finding_is_fixed_when_a_newer_version_does_not_have_it(connection: Connection) -> None:
    keep(connection, "ab", found("a"), found("a", "phone", "phone-short"), found("b"))
    keep(connection, "a", found("a", "phone", "phone-short"), batch=LATER)
    assert kept(connection) == [("a", "email", "fixed", 1), ("a", "phone", "open", 2), ("b", "email", "open", 1)]


def test_a_fixed_finding_that_returns_is_reopened(connection: Connection) -> None:
    keep(connection, "a", found("a"))
    keep(connection, "a")
    keep(connection, "a", found("a"))
    assert kept(connection) == [("a", "email", "open", 2)]


def test_findings_of_other_records_do_not_change(connection: Connection) -> None:
    keep(connection, "ab", found("a"), found("b"))
    keep(connection, "", found("c"))
    assert [(source_id, state) for source_id, _, state, _ in kept(connection)] == [
        ("a", "open"),
        ("b", "open"),
        ("c", "open"),
    ]


def test_resources_of_one_table_have_separate_findings(connection: Connection) -> None:
    keep(connection, "a", found("a"))
    keep(connection, "a", resource="account_info")
    assert kept(connection) == [("a", "email", "open", 1)]


def test_a_rule_has_one_finding_per_field(connection: Connection) -> None:
    assert keep(connection, "a", found("a", raw_value="x"), found("a", raw_value="y")) == 2
    assert kept(connection) == [("a", "email", "open", 1)]


def test_the_number_of_findings_per_rule_is_capped(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "CAP", 3)
    rows = [found(f"r{number}") for number in range(10)] + [found("r0", "phone", "phone-short")]
    assert (
        findings.write_findings(connection, TENANT, "contacts", BATCH, [f"r{number}" for number in range(10)], rows)
        == 11
    )
    by_rule = connection.execute(text("SELECT rule, count(*) FROM etl.findings GROUP BY rule ORDER BY rule")).all()
    assert [tuple(row) for row in by_rule] == [("email-no-domain", 3), ("phone-short", 1)]


def test_special_characters_are_stored_unchanged(connection: Connection) -> None:
    hostile = "tab\there, newline\nhere, \\N, \\. and 'quotes'"
    keep(connection, "a", found("a", raw_value=hostile))
    assert connection.execute(text("SELECT raw_value FROM etl.findings")).scalar_one() == hostile


def test_a_transaction_can_write_findings_several_times(connection: Connection) -> None:
    for batch in range(3):
        keep(connection, "a", found("a"), batch=UUID(int=batch))
    assert kept(connection) == [("a", "email", "open", 3)]
