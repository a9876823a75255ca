"""A record stays one row when any of its values changes or is missing; the documented unique constraints hold."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from test_any_page_order import Bench, instant

from etl.load import UNIQUE_CONSTRAINTS

#: A record of each feed, and changes of the values that people use as its name.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "policies": (
        {"PolicyId": 5, "PolicyNumber": "Pending", "CustomerId": 1, "Status": "P", "CarrierId": 7},
        {"PolicyNumber": "PA-1", "CustomerId": 2, "Status": "A", "CarrierId": 8},
    ),
    "claims": (
        {"ClaimID": 5, "PolicyID": 1, "ClaimNumber": None, "Status": "O", "CustomerID": None},
        {"PolicyID": 2, "ClaimNumber": "C-1", "CustomerID": 4},
    ),
    "applications": (
        {"ApplicationID": 5, "QuoteID": None, "CustomerID": 1, "Status": "S"},
        {"QuoteID": 9, "CustomerID": 2},
    ),
    "commissions": (
        {"CommissionID": 5, "PolicyID": 1, "Amount": 5, "Status": "P"},
        {"PolicyID": 2},
    ),
    "billing_records": (
        {"RecordId": "7d9ac05e-2f14-4d6a-9d2c-0d6c53a7f001", "ContactId": 1, "TransactionDate": None, "Amount": 5},
        {"ContactId": 2, "TransactionDate": "2026-02-01T00:00:00"},
    ),
    "contacts": (
        {"EntityID": 5, "Status": "A", "DisplayName": "A", "CustomerNo": None},
        {"DisplayName": "B", "CustomerNo": "N-1"},
    ),
}

#: Columns that differ between two versions in addition to their content.
OF_A_VERSION = {"source_modified_at", "version_at", "content_hash", "raw_id"}


@pytest.fixture
def bench(engine: Engine) -> Iterator[Bench]:
    """Give empty tables in a transaction that is rolled back."""
    with engine.connect() as connection, connection.begin() as transaction:
        yield Bench(connection)
        transaction.rollback()


def rows(bench: Bench, table: str) -> list[dict[str, Any]]:
    """Return the rows of a table that are not placeholders."""
    query = f"SELECT to_jsonb(r) FROM public.{table} AS r WHERE NOT is_placeholder AND deleted_at IS NULL"
    return list(bench.connection.execute(text(query)).scalars())


@pytest.fixture(scope="module", autouse=True)
def _without_pauses() -> None:
    """Need no API, and none of the folder's fixtures."""


def test_a_record_stays_one_row_when_any_value_changes(bench: Bench) -> None:
    for name, (known, change) in CASES.items():
        record = known | {"CreatedOn": instant(-9), "DateLastModified": instant(1)}
        bench.take(name, [record])
        (first,) = rows(bench, name)
        later = record | change | {"DateLastModified": instant(2)}
        for again in (later, later, record, later | {"DateLastModified": instant(3)}):
            bench.take(name, [again])
        (last,) = rows(bench, name)
        assert first["id"] == last["id"]
        changed = {key for key, value in last.items() if first[key] != value} - OF_A_VERSION
        assert len(changed) >= len(change), name


def test_missing_values_create_no_additional_row(bench: Bench) -> None:
    for name, (known, _) in CASES.items():
        for day in (1, 2, 3):
            bench.take(name, [known | {"CreatedOn": instant(-9), "DateLastModified": instant(day)}])
        assert len(rows(bench, name)) == 1, name


def test_the_database_enforces_the_declared_constraints(bench: Bench) -> None:
    """Their columns include the source id, which is unique per tenant and never null, so all of them are unique."""
    for model, unique in UNIQUE_CONSTRAINTS.items():
        table = model.__tablename__
        assert unique[0] == "source_id"
        assert set(unique) <= set(model.__table__.columns.keys())
        put = text(
            f"INSERT INTO {table} (id, tenant, source_id, is_placeholder) VALUES (gen_random_uuid(), :t, :s, true)"
        )
        bench.connection.execute(put, {"t": "north", "s": "1"})
        bench.connection.execute(put, {"t": "south", "s": "1"})
        for bound in ({"t": "north", "s": "1"}, {"t": "north", "s": None}, {"t": None, "s": "2"}):
            with pytest.raises(IntegrityError), bench.connection.begin_nested():
                bench.connection.execute(put, bound)
