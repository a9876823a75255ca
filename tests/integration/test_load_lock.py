"""Two transactions that write the rows of one agency in opposite orders wait for each other, without a deadlock."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, text

from etl.copy_text import format_row
from etl.database.embedded.file_lock import wait_until
from etl.load.rows import LoadContext, load_rows, write_stubs
from etl.models import Carrier
from etl.models.base import PRIMARY, row_id
from etl.reshape.reshaper import Row, row_columns
from etl.resources import find_resource
from etl.window import FIRST_INSTANT, Window

NOW = datetime(2025, 6, 2, tzinfo=UTC)
SECONDS = 30


def context(tenant: str) -> LoadContext:
    return LoadContext(tenant, UUID(int=1), Window(FIRST_INSTANT, NOW))


def refer_to(connection: Connection, tenant: str, *tables: str) -> None:
    """Write what records say of rows that have not arrived."""
    write_stubs(connection, context(tenant), [(table, "1", None, NOW) for table in tables], {})


def load_carrier(connection: Connection, tenant: str) -> None:
    key, raw_id = str(row_id(tenant, Carrier.__tablename__, "1")), str(uuid4())
    columns = row_columns(Carrier, PRIMARY)
    values = {"id": key, "source_id": "1", "name": "Acme", "source_modified_at": NOW, "version_at": NOW}
    values |= {"content_hash": str(uuid4()), "raw_id": raw_id}
    row = Row(key, raw_id, format_row([values.get(column) for column in columns]), undated=False, deleted=False)
    load_rows(connection, context(tenant), find_resource("carriers"), columns, [row])


def is_waiting(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(connection.execute(text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")).scalar())


@pytest.mark.parametrize("write_carrier", [load_carrier, lambda *of: refer_to(*of, "carriers")], ids=["row", "stub"])
def test_rows_made_from_contacts_and_placeholders_of_policies_end_without_a_deadlock(
    engine: Engine, write_carrier: Callable[[Connection, str], None]
) -> None:
    # A page of contacts names employees first, then fills the carriers among its contacts; a page of policies names
    # carriers first, then employees.
    with ThreadPoolExecutor() as pool:
        with engine.begin() as contacts:
            refer_to(contacts, "t", "employees")

            def write_policies() -> None:
                with engine.begin() as policies:
                    refer_to(policies, "t", "carriers")
                    refer_to(policies, "t", "employees")

            other = pool.submit(write_policies)
            assert wait_until(lambda: is_waiting(engine), SECONDS)
            write_carrier(contacts, "t")
        other.result(SECONDS)


def test_two_agencies_do_not_wait_for_each_other(engine: Engine) -> None:
    with engine.begin() as first, engine.begin() as second:
        refer_to(first, "t", "employees")
        refer_to(second, "u", "employees")


def test_a_transaction_waits_in_line_for_longer_than_for_a_row(engine: Engine) -> None:
    def write_second() -> str:
        with engine.begin() as second:
            second.execute(text("SET LOCAL lock_timeout = '50ms'"))
            refer_to(second, "t", "employees")
            return str(second.execute(text("SHOW lock_timeout")).scalar())

    with ThreadPoolExecutor() as pool:
        with engine.begin() as first:
            refer_to(first, "t", "employees")
            other = pool.submit(write_second)
            assert wait_until(lambda: is_waiting(engine), SECONDS)
            time.sleep(0.2)
        assert other.result(SECONDS) == "50ms", "the limit is put back"
