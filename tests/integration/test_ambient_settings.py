"""Role, search path and defaults of a database are not ours: every result is the same under odd ones."""

from urllib.parse import urlsplit

import pytest
from odd_defaults import ODD_DEFAULTS, administer, as_role
from sqlalchemy import Engine, text

from etl.database.connect import make_engine
from etl.database.migrate import schema_differences, upgrade
from etl.database.rights import find_missing_grants
from etl.errors import DatabaseNotReady

#: Where our tables are; other schemas have none.
PLACES = text("""
    SELECT schemaname FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') GROUP BY schemaname
""")


@pytest.mark.parametrize("role", ["etl", "raw", "history"])
def test_a_role_named_like_a_schema_migrates_into_the_right_ones(empty_database_url: str, role: str) -> None:
    rights = ("GRANT CREATE, TEMPORARY ON DATABASE {database} TO {role}", "GRANT CREATE ON SCHEMA public TO {role}")
    with as_role(empty_database_url, role, *rights) as url:
        upgrade(url)
        engine = make_engine(url)
        with engine.connect() as connection:
            assert set(connection.execute(PLACES).scalars()) == {"etl", "raw", "history", "public"}
            assert schema_differences(connection) == []
            assert find_missing_grants(connection) == []
        engine.dispose()


def test_odd_defaults_of_a_database_change_nothing(empty_database_url: str) -> None:
    database = urlsplit(empty_database_url).path.lstrip("/")
    administer(
        empty_database_url,
        "CREATE SCHEMA odd",
        *(f"ALTER DATABASE {database} SET {name} = {value}" for name, value in ODD_DEFAULTS.items()),
    )
    upgrade(empty_database_url)
    engine = make_engine(empty_database_url)
    with engine.begin() as connection:
        assert set(connection.execute(PLACES).scalars()) == {"etl", "raw", "history", "public"}
        assert schema_differences(connection) == []
        level = connection.execute(text("SELECT current_setting('transaction_isolation')")).scalar_one()
        assert level == "read committed"
        connection.execute(text("CREATE TABLE odd.written (value text DEFAULT E'\\\\x')"))
        assert connection.execute(text("SELECT '\\x41'::text, '\\x41'::bytea")).one() == ("\\x41", b"A")
    engine.dispose()


def test_missing_rights_are_named_with_the_statements_that_grant_them(empty_database_url: str) -> None:
    database = urlsplit(empty_database_url).path.lstrip("/")
    administer(
        empty_database_url, f"REVOKE ALL ON DATABASE {database} FROM PUBLIC", "REVOKE ALL ON SCHEMA public FROM PUBLIC"
    )
    with as_role(empty_database_url, "newcomer", "GRANT CONNECT ON DATABASE {database} TO {role}") as url:
        with pytest.raises(DatabaseNotReady, match="lacks rights") as refused:
            upgrade(url)
        grants = [f"{grant};" for grant in str(refused.value).partition("run: ")[2].split(";")[:-1]]
        assert [grant.strip() for grant in grants] == [
            f"GRANT CREATE, TEMPORARY ON DATABASE {database} TO newcomer;",
            "GRANT USAGE, CREATE ON SCHEMA public TO newcomer;",
        ]
        administer(empty_database_url, *grants)
        upgrade(url)


def test_rights_on_our_tables_in_public_are_needed_and_on_those_of_others_not(engine: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    administer(url, "CREATE TABLE public.of_others (id int PRIMARY KEY)")
    schemas = "etl, raw, history"
    rights = (
        "GRANT CREATE, TEMPORARY ON DATABASE {database} TO {role}", "GRANT USAGE, CREATE ON SCHEMA public TO {role}",
        f"GRANT USAGE, CREATE ON SCHEMA {schemas}, masked TO {{role}}",
        *(f"GRANT ALL ON ALL {kind} IN SCHEMA {schemas} TO {{role}}" for kind in ("TABLES", "SEQUENCES")),
    )  # fmt: skip
    with as_role(url, "newcomer", *rights) as theirs:
        other = make_engine(theirs)
        with other.connect() as connection:
            grants = find_missing_grants(connection)
        assert "public.contacts" in grants[0]
        assert "of_others" not in grants[0]
        administer(url, *grants)
        with other.connect() as connection:
            assert find_missing_grants(connection) == []
        other.dispose()


def test_tables_of_others_are_no_difference(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE public.of_others (id int PRIMARY KEY)"))
        connection.execute(text("CREATE TABLE etl.of_others (id int)"))
        assert schema_differences(connection) == []
