"""Masked views: values that a reader without access to personal data sees, and grants that survive a migration."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection, Engine, text

from etl.database.migrate import downgrade, schema_differences, upgrade
from etl.models import PRODUCTION
from etl.models.base import Model, field_in, row_id
from etl.models.links import LINKS
from etl.privacy.masking import build_history_query, build_live_query, build_table_query
from etl.privacy.roles import MASKED_ROLE, READER_ROLE, build_roles_sql

PEOPLE = """
    INSERT INTO contacts (id, tenant, source_id, status, first_name, email, phone, birth_date, city)
    VALUES (:id, 't', '7', 'A', 'Zebulon', 'zeb@forgetme.example', '+13055550187;ext=12', '1951-03-17', 'Miami')
"""


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with engine.begin() as connection:
        connection.execute(text(PEOPLE), {"id": row_id("t", "contacts", "7")})
        for source_id in ("name:Dana Rivera", "12"):
            connection.execute(
                text(
                    "INSERT INTO employees (id, tenant, source_id, display_name) VALUES (:id, 't', :key, 'Dana Rivera')"
                ),
                {"id": row_id("t", "employees", source_id), "key": source_id},
            )
    return engine


@pytest.fixture
def with_roles(filled: Engine, database_url: str) -> Iterator[Engine]:
    """Yield a database with both roles, created by the printed SQL; drop their privileges at the end."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        user = connection.info.user
        for _ in range(2):  # it can be run again
            connection.execute(build_roles_sql(user))
        yield filled
        for role in (READER_ROLE, MASKED_ROLE):
            connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))


def seen(connection: Connection, role: str, query: str) -> list[tuple[object, ...]]:
    connection.execute(text(f"SET LOCAL ROLE {role}"))
    rows = [tuple(row) for row in connection.execute(text(query))]
    connection.execute(text("RESET ROLE"))
    return rows


def may(engine: Engine, role: str, relation: str) -> bool:
    with engine.connect() as connection:
        query = text(
            "SELECT has_table_privilege(:role, :relation, 'SELECT') AND has_schema_privilege(:role, :home, 'USAGE')"
        )
        bound = {"role": role, "relation": relation, "home": relation.partition(".")[0]}
        allowed: bool = connection.execute(query, bound).scalar_one()
    return allowed


def test_personal_values_are_masked_and_others_shown(filled: Engine) -> None:
    query = "SELECT source_id, status, city, first_name, birth_date, email, phone FROM masked.contacts"
    with filled.connect() as connection:
        assert tuple(connection.execute(text(query)).one()) == (
            "7", "A", "Miami", None, None, "***@forgetme.example", "***87",
        )  # fmt: skip
        rows = connection.execute(text("SELECT source_id FROM masked.employees ORDER BY 1")).scalars().all()
    assert rows == ["12", "name:***"]


def shape(connection: Connection, schema: str, table: str) -> list[tuple[object, ...]]:
    query = text("""
        SELECT column_name, data_type FROM information_schema.columns
        WHERE table_schema = :schema AND table_name = :table
    """)
    return sorted(tuple(row) for row in connection.execute(query, {"schema": schema, "table": table}))


def test_every_masked_view_has_the_columns_of_its_table(filled: Engine) -> None:
    with filled.connect() as connection:
        tables = [model.__tablename__ for model in PRODUCTION]
        views = [f"v_{name}" for name in tables] + [f"v_{name}_history" for name in tables]
        for table in (*tables, *views, *(link.name for link in LINKS)):
            assert shape(connection, "masked", table) == shape(connection, "public", table) != []


@pytest.mark.parametrize("model", PRODUCTION, ids=lambda model: model.__tablename__)
def test_no_masked_view_shows_an_unmasked_personal_column(model: type[Model]) -> None:
    personal = {
        column.name for column in model.__table__.columns if (about := field_in(column.info)) and about.personal
    }
    for query in (build_table_query(model), build_live_query(model), build_history_query(model)):
        plain = query.removeprefix("SELECT ").partition(" FROM ")[0].split(", ")
        assert personal & set(plain) == set()


def test_each_role_sees_only_its_schema(with_roles: Engine) -> None:
    with with_roles.connect() as connection:
        assert seen(connection, READER_ROLE, "SELECT first_name FROM public.contacts") == [("Zebulon",)]
        assert seen(connection, MASKED_ROLE, "SELECT first_name FROM masked.contacts") == [(None,)]
        assert seen(connection, READER_ROLE, "SELECT first_name FROM public.v_contacts_history") == [("Zebulon",)]
        assert seen(connection, MASKED_ROLE, "SELECT first_name FROM masked.v_contacts_history") == [(None,)]
    for model in (*(entity.__tablename__ for entity in PRODUCTION), *(link.name for link in LINKS)):
        assert may(with_roles, READER_ROLE, f"public.{model}")
        assert may(with_roles, MASKED_ROLE, f"masked.{model}")
        assert not may(with_roles, MASKED_ROLE, f"public.{model}")
    for table in (entity.__tablename__ for entity in PRODUCTION):
        assert may(with_roles, READER_ROLE, f"public.v_{table}_history")
        assert may(with_roles, MASKED_ROLE, f"masked.v_{table}_history")
        assert not may(with_roles, MASKED_ROLE, f"public.v_{table}_history")
        assert not may(with_roles, MASKED_ROLE, f"history.{table}")
    for hidden in ("raw.raw_contacts", "etl.findings", "etl.suppressions", "etl.tenants"):
        assert not may(with_roles, READER_ROLE, hidden)
        assert not may(with_roles, MASKED_ROLE, hidden)


def test_views_stay_readable_after_they_are_created_again(with_roles: Engine, database_url: str) -> None:
    upgrade(database_url)
    assert may(with_roles, MASKED_ROLE, "masked.contacts")
    downgrade(database_url, "base")
    upgrade(database_url)
    assert may(with_roles, MASKED_ROLE, "masked.contacts")
    assert may(with_roles, READER_ROLE, "public.contacts")


def test_a_right_that_somebody_gave_by_hand_survives_a_migration(filled: Engine, database_url: str) -> None:
    role = f'Odd "one" {uuid4().hex[:6]}'
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = sql.Identifier(role)
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(name))
        try:
            connection.execute(sql.SQL("GRANT USAGE ON SCHEMA etl, masked TO {}").format(name))
            connection.execute(sql.SQL("GRANT SELECT ON masked.policies TO {} WITH GRANT OPTION").format(name))
            connection.execute("GRANT SELECT ON etl.freshness TO PUBLIC")
            upgrade(database_url)
            option = connection.execute(
                "SELECT has_table_privilege(%s, 'masked.policies', 'SELECT WITH GRANT OPTION')", [role]
            ).fetchone()
            assert option == (True,)
            assert may(filled, role, "etl.freshness")
            assert not may(filled, role, "masked.contacts")
        finally:
            connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
            connection.execute(sql.SQL("DROP ROLE {}").format(name))


def test_a_masked_view_of_another_version_is_dropped(filled: Engine, database_url: str) -> None:
    with filled.begin() as connection:
        connection.execute(text("CREATE VIEW masked.retired AS SELECT first_name FROM public.contacts"))
    upgrade(database_url)
    with filled.connect() as connection:
        assert connection.execute(text("SELECT to_regclass('masked.retired')")).scalar_one() is None
        assert schema_differences(connection) == []
