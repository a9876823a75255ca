"""The paths of the embedded server: data folder, password, port, log and locks."""

import os
import secrets
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from etl.database.embedded.os_user import OsUser
from etl.errors import DatabaseUnavailable

DATABASE = "qqcatalyst"
SUPERUSER = "postgres"
LOOPBACK = "127.0.0.1"
_NAME = "qqcatalyst-etl"


@dataclass(frozen=True, slots=True)
class ServerPaths:
    """The paths inside the folder of an embedded server."""

    folder: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's own data folder."""
        return self.folder / "data"

    @property
    def unfinished(self) -> Path:
        """The folder where initdb works until it has finished."""
        return self.folder / "data.unfinished"

    @property
    def log(self) -> Path:
        """The server's log, which contains no rows and no statements."""
        return self.folder / "server.log"

    @property
    def programs(self) -> Path:
        """Copies of the server's programs, for when its user cannot reach the originals."""
        return self.folder / "programs"

    @property
    def start_lock(self) -> Path:
        """The lock of the process that starts, stops or removes the server."""
        return self.folder / "start.lock"

    @property
    def users_lock(self) -> Path:
        """The lock that users hold shared, and that the supervisor holds exclusively to stop the server."""
        return self.folder / "users.lock"

    @property
    def supervisor_lock(self) -> Path:
        """The lock that the supervisor holds as long as it runs."""
        return self.folder / "supervisor.lock"

    @property
    def exists(self) -> bool:
        """Whether there is a complete data folder."""
        return os.path.isfile(self.data / "PG_VERSION")  # noqa: PTH113 (False without permission, too)

    @property
    def major(self) -> int | None:
        """The major version of PostgreSQL that created the data, or None when there is no data."""
        return int((self.data / "PG_VERSION").read_text().strip()) if self.exists else None

    @property
    def port(self) -> int | None:
        """The TCP port that the server was last started on."""
        try:
            return int((self.folder / "port").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def url(self, database: str = DATABASE) -> str:
        """Return the URL of a database of this server, with the password."""
        password = quote(self._password(), safe="")
        return f"postgresql://{SUPERUSER}:{password}@{LOOPBACK}:{self.port}/{database}"

    def _password(self) -> str:
        try:
            return (self.folder / "password").read_text().strip()
        except OSError as error:
            raise DatabaseUnavailable(
                f"The password of the embedded PostgreSQL in {self.folder / 'password'} cannot be read "
                f"({error.strerror}). Restore the file and make it readable for the user who runs this command."
            ) from error

    def last_log_lines(self, lines: int = 8) -> str:
        """Return the last lines of the server's log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return "(the server left no log)"

    def create_folder(self) -> None:
        """Create the folder if it is missing; other users may enter root's folder, for the server's user.

        Raises DatabaseUnavailable when the folder cannot be created or written to.
        """
        try:
            if not self.folder.is_dir():
                self.folder.mkdir(parents=True)
                self.folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
            if not os.access(self.folder, os.W_OK | os.X_OK):
                raise PermissionError
        except OSError as error:
            why = error.strerror or "permission denied"
            raise DatabaseUnavailable(
                f"The data folder {self.folder} cannot be created or written to ({why}). "
                "Set ETL_DATA_DIR to a folder you may write to, or DATABASE_URL to a PostgreSQL server of your own."
            ) from error

    def check_access(self, user: OsUser) -> None:
        """Raise DatabaseUnavailable when the server's user cannot enter the folder."""
        if user.switch and not user.can_enter(self.folder):
            raise DatabaseUnavailable(
                f"The server runs as the user {user.name}, which cannot enter the data folder {self.folder} or a "
                f"folder above it. Set ETL_DATA_DIR to a folder that this user may enter, such as /var/lib/{_NAME}; "
                "the permissions of existing folders are not changed."
            )

    def create_password(self) -> str:
        """Write a new password to a file that only its owner can read, and return it."""
        password = secrets.token_urlsafe(24)
        path = self.folder / "password"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(password)
        return password

    def save_port(self, port: int) -> None:
        """Save the port atomically: a reader sees the old port or the new one."""
        draft = self.folder / "port.new"
        draft.write_text(f"{port}\n")
        draft.rename(self.folder / "port")

    def delete(self) -> None:
        """Delete the server's files, and the folder itself when nothing else is in it."""
        for path in (self.data, self.unfinished, self.programs):
            shutil.rmtree(path, ignore_errors=True)
        names = ("*.lock", f"{self.log.name}*", "password", "port", "port.new", "initdb-*")
        for path in [path for name in names for path in self.folder.glob(name)]:
            path.unlink(missing_ok=True)
        if not any(self.folder.iterdir()):
            self.folder.rmdir()


def default_data_dir() -> Path:
    """Return the folder of the embedded server: ETL_DATA_DIR, or else root's or the user's data folder."""
    chosen = os.environ.get("ETL_DATA_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if os.geteuid() == 0:
        return Path("/var/lib", _NAME)
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support" / _NAME
    shared = os.environ.get("XDG_DATA_HOME", "")
    # The XDG specification says to ignore relative paths.
    return (Path(shared) if Path(shared).is_absolute() else Path.home() / ".local/share") / _NAME


def server_paths(data_dir: Path | str | None) -> ServerPaths:
    """Return the paths of the server in `data_dir`, or in the default folder."""
    return ServerPaths(Path(data_dir).expanduser().absolute() if data_dir else default_data_dir())
