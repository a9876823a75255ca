"""The operating system user that runs the embedded server, because PostgreSQL refuses root."""

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from etl.errors import DatabaseUnavailable

#: The only environment variables that the server gets: no secrets, and no PG* variables that would change its behavior.
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")
#: The time limit of a program. initdb, the slowest, needs a few seconds and recreates its folder when run again.
SECONDS = 300.0
_UNPRIVILEGED = ("postgres", "nobody")


class ProcessOptions(TypedDict, total=False):
    """Arguments of `subprocess`: the environment, and the user that a child process runs as."""

    env: Mapping[str, str]
    stdin: int
    user: int
    group: int
    extra_groups: Sequence[int]


@dataclass(frozen=True, slots=True)
class OsUser:
    """The user that runs initdb and postgres; `switch` is true if we are root and must switch to that user."""

    name: str
    uid: int
    gid: int
    switch: bool

    def subprocess_options(self) -> ProcessOptions:
        """Return the `subprocess` arguments that run a child process as this user."""
        options = ProcessOptions(env=server_environment(), stdin=subprocess.DEVNULL)
        if self.switch:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def run(
        self, command: Sequence[str | Path], *, cwd: Path = Path("/"), seconds: float = SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Run the command as this user and return the completed process, even when it failed.

        Raises DatabaseUnavailable when the command takes longer than `seconds`.
        """
        try:
            return subprocess.run(
                [str(part) for part in command],
                cwd=cwd,
                capture_output=True,
                text=True,
                check=False,
                timeout=seconds,
                **self.subprocess_options(),
            )
        except subprocess.TimeoutExpired:
            raise DatabaseUnavailable(
                f"{command[0]} did not finish within {seconds:.0f} s and was stopped. The disk may not respond; check "
                "it, then run the command again."
            ) from None

    def can_enter(self, folder: Path) -> bool:
        """Return whether this user may enter the folder and all its parents."""
        return self.run(["test", "-x", folder]).returncode == 0


def server_environment() -> Mapping[str, str]:
    """Return the environment variables for the server's processes."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | {"LC_ALL": "C"}


def server_user(data: Path) -> OsUser:
    """Return the user that runs the server on this data folder: the current user or, as root, the folder's owner.

    Raises DatabaseUnavailable when the user has no name, which PostgreSQL requires.
    """
    if os.geteuid() == 0:
        return _user_for_root(data)
    try:
        entry = pwd.getpwuid(os.geteuid())
    except KeyError:
        raise DatabaseUnavailable(
            f"The user id {os.geteuid()} has no entry in /etc/passwd, and PostgreSQL does not start without one. "
            "Add the entry, or set DATABASE_URL to a PostgreSQL server of your own."
        ) from None
    return OsUser(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=False)


def _user_for_root(data: Path) -> OsUser:
    if data.exists() and data.stat().st_uid != 0:
        entry = pwd.getpwuid(data.stat().st_uid)
        return OsUser(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=True)
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return OsUser(name, entry.pw_uid, entry.pw_gid, switch=True)
    raise DatabaseUnavailable(
        "PostgreSQL does not run as root, and this machine has neither a user postgres nor a user nobody. "
        "Run the command as an ordinary user, or set DATABASE_URL to a PostgreSQL server of your own."
    )
