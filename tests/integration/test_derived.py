"""The statements that compute columns and links, and the constraints of the tables, in a real PostgreSQL."""

import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from etl.models import (
    BillingRecord,
    Carrier,
    Contact,
    Document,
    Employee,
    Model,
    Policy,
    PolicyDetail,
    Renewal,
    Termination,
)
from etl.models.base import Base, row_id
from etl.models.derived import (
    BILLING_RECORD_POLICIES,
    CURRENT_TERMINATIONS,
    DERIVED,
    DOCUMENT_POLICIES,
    POLICY_PRODUCERS,
    RENEWAL_PREMIUMS,
    Derived,
)
from etl.models.links import billing_record_policies, document_policies, policy_producers
from etl.models.staging import raw_table

TENANT = "t"
FIRST, SECOND = uuid.UUID(int=1), uuid.UUID(int=2)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """Give a connection inside a transaction, with two contacts in the database."""
    with engine.begin() as open_connection:
        put(open_connection, Contact, "1", FIRST, status="A")
        put(open_connection, Contact, "2", FIRST, status="A")
        yield open_connection


def key(model: type[Model], source_id: str) -> uuid.UUID:
    return row_id(TENANT, model.__tablename__, source_id)


def put(connection: Connection, model: type[Model], source_id: str, batch: uuid.UUID, **values: Any) -> None:
    defaults = {"id": key(model, source_id), "tenant": TENANT, "source_id": source_id, "etl_batch_id": batch}
    connection.execute(insert(model).values(**defaults, **values))


def policy(connection: Connection, source_id: str, batch: uuid.UUID, contact: str = "1", **values: Any) -> None:
    put(connection, Policy, source_id, batch, contact_id=key(Contact, contact), status="A", **values)


def change(connection: Connection, model: type[Model], source_id: str, batch: uuid.UUID, **values: Any) -> None:
    statement = update(model).where(model.id == key(model, source_id))
    connection.execute(statement.values(etl_batch_id=batch, **values))


def run(connection: Connection, derived: Derived, batch: uuid.UUID) -> int:
    return connection.execute(derived.sql, {"tenant": TENANT, "batch_id": batch}).rowcount


def renewal(connection: Connection, source_id: str = "11") -> tuple[Any, Any]:
    columns = select(Renewal.prior_premium, Renewal.premium_change).where(Renewal.source_id == source_id)
    prior, difference = connection.execute(columns).one()
    return prior and float(prior), difference and float(difference)


def put_renewal(connection: Connection, batch: uuid.UUID, premium: float) -> None:
    put(
        connection, Renewal, "11", batch, policy_id=key(Policy, "11"), prior_policy_id=key(Policy, "10"),
        renewal_premium=premium,
    )  # fmt: skip


def test_a_renewal_gets_the_premium_of_the_previous_term(connection: Connection) -> None:
    policy(connection, "10", FIRST, total_premium=1000)
    policy(connection, "11", FIRST, total_premium=1100)
    put_renewal(connection, FIRST, 1100)
    assert run(connection, RENEWAL_PREMIUMS, FIRST) == 1
    assert renewal(connection) == (1000, 100)


def test_a_renewal_follows_a_later_change_of_the_previous_term(connection: Connection) -> None:
    policy(connection, "10", FIRST, total_premium=1000)
    policy(connection, "11", FIRST)
    put_renewal(connection, FIRST, 1100)
    run(connection, RENEWAL_PREMIUMS, FIRST)
    change(connection, Policy, "10", SECOND, total_premium=1200)
    assert run(connection, RENEWAL_PREMIUMS, SECOND) == 1
    assert renewal(connection) == (1200, -100)
    change(connection, Policy, "10", SECOND, total_premium=None)
    run(connection, RENEWAL_PREMIUMS, SECOND)
    assert renewal(connection) == (None, None)


def put_billing(connection: Connection, batch: uuid.UUID, policy_ids: list[str] | None, source_id: str = "b") -> None:
    put(connection, BillingRecord, source_id, batch, contact_id=key(Contact, "1"), policy_ids=policy_ids)


def billed(connection: Connection) -> list[tuple[str, str]]:
    pairs = (
        select(BillingRecord.source_id, Policy.source_id)
        .join(billing_record_policies, billing_record_policies.c.billing_record_id == BillingRecord.id)
        .join(Policy, Policy.id == billing_record_policies.c.policy_id)
    )
    return sorted((row, other) for row, other in connection.execute(pairs))


@pytest.mark.fact("billing-policies")
def test_a_billing_record_is_linked_to_each_policy_it_names(connection: Connection) -> None:
    policy(connection, "10", FIRST)
    policy(connection, "11", FIRST)
    put_billing(connection, FIRST, ["10", "11", "12"])
    put_billing(connection, FIRST, None, "c")
    assert run(connection, BILLING_RECORD_POLICIES, FIRST) == 2
    assert billed(connection) == [("b", "10"), ("b", "11")]


def test_a_billing_record_is_linked_to_a_policy_that_arrives_later(connection: Connection) -> None:
    put_billing(connection, FIRST, ["12"])
    run(connection, BILLING_RECORD_POLICIES, FIRST)
    assert billed(connection) == []
    policy(connection, "12", SECOND)
    assert run(connection, BILLING_RECORD_POLICIES, SECOND) == 1
    assert billed(connection) == [("b", "12")]


def test_a_billing_record_loses_the_link_to_a_policy_it_no_longer_names(connection: Connection) -> None:
    policy(connection, "10", FIRST)
    policy(connection, "11", FIRST)
    put_billing(connection, FIRST, ["10"])
    put_billing(connection, FIRST, ["10"], "other")
    run(connection, BILLING_RECORD_POLICIES, FIRST)
    change(connection, BillingRecord, "b", SECOND, policy_ids=["11"])
    run(connection, BILLING_RECORD_POLICIES, SECOND)
    assert billed(connection) == [("b", "11"), ("other", "10")]


def put_document(connection: Connection, batch: uuid.UUID, numbers: list[str] | None, contact: str = "1") -> None:
    put(connection, Document, "d", batch, contact_id=key(Contact, contact), policy_numbers=numbers)


def filed(connection: Connection) -> list[str]:
    query = select(Policy.source_id).join(document_policies, document_policies.c.policy_id == Policy.id)
    return sorted(connection.execute(query).scalars())


def test_a_document_is_linked_to_its_contacts_policies_of_that_number(connection: Connection) -> None:
    policy(connection, "10", FIRST, policy_number="PA 1")
    policy(connection, "11", FIRST, policy_number="PA 1")
    policy(connection, "12", FIRST, policy_number="PA 2")
    policy(connection, "13", FIRST, contact="2", policy_number="PA 1")
    put_document(connection, FIRST, ["PA 1", "PA 9"])
    assert run(connection, DOCUMENT_POLICIES, FIRST) == 2
    assert filed(connection) == ["10", "11"]


def test_a_documents_links_follow_its_policies(connection: Connection) -> None:
    policy(connection, "10", FIRST, policy_number="PA 1")
    policy(connection, "11", FIRST, policy_number="PA 1")
    put_document(connection, FIRST, ["PA 1"])
    run(connection, DOCUMENT_POLICIES, FIRST)
    change(connection, Policy, "10", SECOND, policy_number="PA 7")
    change(connection, Policy, "11", SECOND, contact_id=key(Contact, "2"))
    policy(connection, "12", SECOND, policy_number="PA 1")
    run(connection, DOCUMENT_POLICIES, SECOND)
    assert filed(connection) == ["12"]


def test_a_document_loses_its_links_with_its_policy_numbers(connection: Connection) -> None:
    policy(connection, "10", FIRST, policy_number="PA 1")
    put_document(connection, FIRST, ["PA 1"])
    run(connection, DOCUMENT_POLICIES, FIRST)
    change(connection, Document, "d", SECOND, policy_numbers=None)
    run(connection, DOCUMENT_POLICIES, SECOND)
    assert filed(connection) == []


@pytest.mark.fact("last-cancellation")
def test_of_several_cancellations_of_a_policy_the_last_counts(connection: Connection) -> None:
    """The last by date; of two on one day, the one with the higher id."""
    policy(connection, "10", FIRST)
    policy(connection, "11", FIRST)
    for number, of_policy, day in (("9", "10", 1), ("3", "10", 8), ("20", "10", 8), ("1", "11", 1)):
        values = {"policy_id": key(Policy, of_policy), "termination_date": date(2026, 3, day)}
        put(connection, Termination, number, FIRST, **values)
    run(connection, CURRENT_TERMINATIONS, FIRST)
    current = select(Termination.source_id).where(Termination.is_current.is_(True)).order_by(Termination.source_id)
    assert list(connection.execute(current).scalars()) == ["1", "20"]


@pytest.mark.fact("people-ids")
def test_the_producers_of_a_policy_are_linked_in_their_order(connection: Connection) -> None:
    for number in ("7", "8"):
        put(connection, Employee, number, FIRST)
    policy(connection, "12", FIRST, producer_ids=["8", "7"])
    run(connection, POLICY_PRODUCERS, FIRST)
    links = select(policy_producers.c.employee_id).order_by(policy_producers.c.position)
    assert list(connection.execute(links).scalars()) == [key(Employee, "8"), key(Employee, "7")]


def put_people_and_carrier(connection: Connection, batch: uuid.UUID) -> None:
    """Insert a policy with a producer and a carrier whose number its detail names, and a cancellation of it."""
    put(connection, Employee, "7", batch)
    put(connection, Carrier, "8", batch)
    policy(connection, "12", batch, producer_ids=["7"], carrier_id=key(Carrier, "8"))
    put(connection, PolicyDetail, "120", batch, policy_id=key(Policy, "12"), carrier_naic="19801")
    put(connection, Termination, "121", batch, policy_id=key(Policy, "12"))


@pytest.mark.parametrize("derived", DERIVED, ids=lambda derived: derived.name)
def test_a_second_run_writes_nothing(connection: Connection, derived: Derived) -> None:
    policy(connection, "10", FIRST, policy_number="PA 1", total_premium=1000)
    policy(connection, "11", FIRST, policy_number="PA 1")
    put_renewal(connection, FIRST, 1100)
    put_billing(connection, FIRST, ["10", "11"])
    put_document(connection, FIRST, ["PA 1"])
    put_people_and_carrier(connection, FIRST)
    assert run(connection, derived, FIRST) > 0
    assert run(connection, derived, FIRST) == 0


@pytest.mark.parametrize("derived", DERIVED, ids=lambda derived: derived.name)
def test_rows_of_another_tenant_do_not_change(connection: Connection, derived: Derived) -> None:
    policy(connection, "10", FIRST, policy_number="PA 1", total_premium=1000)
    policy(connection, "11", FIRST, policy_number="PA 1")
    put_renewal(connection, FIRST, 1100)
    put_billing(connection, FIRST, ["10"])
    put_document(connection, FIRST, ["PA 1"])
    assert connection.execute(derived.sql, {"tenant": "other", "batch_id": FIRST}).rowcount == 0


def test_a_statement_reads_tables_that_exist() -> None:
    assert {name for derived in DERIVED for name in derived.reads} <= set(Base.metadata.tables)
    assert len({derived.name for derived in DERIVED}) == len(DERIVED)


def test_only_a_placeholder_may_lack_a_status(connection: Connection) -> None:
    put(connection, Contact, "3", FIRST, is_placeholder=True)
    with pytest.raises(IntegrityError, match="ck_contacts_required_present"), connection.begin_nested():
        put(connection, Contact, "4", FIRST)


def stage(connection: Connection, **values: Any) -> None:
    defaults = {
        "id": uuid.uuid4(),
        "tenant": TENANT,
        "raw_data": {},
        "content_hash": uuid.uuid4(),
        "version_at": func.now(),
    }
    connection.execute(insert(raw_table("contacts")).values({**defaults, "etl_batch_id": FIRST, **values}))


def test_staging_has_one_newest_version_per_record(connection: Connection) -> None:
    stage(connection, source_id="1", superseded_at=func.now())
    stage(connection, source_id="1")
    stage(connection, source_id=None, status="validation_error")
    stage(connection, source_id=None, status="validation_error")
    with pytest.raises(IntegrityError, match="uq_raw_contacts_newest"), connection.begin_nested():
        stage(connection, source_id="1")


@pytest.mark.parametrize("status", ["pending", "transformed", "error"])
def test_a_loaded_raw_row_cannot_be_pending(connection: Connection, status: str) -> None:
    with pytest.raises(IntegrityError, match="ck_raw_contacts_loaded_when_through"), connection.begin_nested():
        stage(connection, source_id="1", status=status, loaded_at=func.now())


def test_staging_accepts_only_declared_states(connection: Connection) -> None:
    with pytest.raises(IntegrityError, match="ck_raw_contacts_status_known"), connection.begin_nested():
        stage(connection, source_id="1", status="done")
