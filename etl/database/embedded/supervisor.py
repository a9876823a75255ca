"""The supervisor process, which runs the embedded server and stops it after its last user has left.

The server must stop even if its last user was killed, so its users cannot stop it. Each user holds a shared lock on a
file, which the kernel releases however the process ends; the supervisor waits for the exclusive lock on that file. It
is also the server's parent, so that a killed server is reaped and restarted at once.
Standard library only, so that it starts fast.
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from etl.database.embedded.file_lock import FileLock, wait_until
from etl.database.embedded.os_user import OsUser
from etl.database.embedded.paths import LOOPBACK, ServerPaths

_STABLE_SECONDS = 30.0
_PAUSE_SECONDS = 0.25
#: The processes of a killed server need a moment to exit, and a new server does not start before.
_MAX_EXITS_IF_KILLED = 40
_MAX_EXITS_IF_REFUSED = 3
_FAST_STOP_SECONDS = 20.0
_LOCK_SECONDS = 10.0
_LOG_BYTES = 5_000_000
_LIBC = ctypes.CDLL(None)


@dataclass(slots=True)
class Supervisor:
    """Runs one server until its last user has left."""

    paths: ServerPaths
    user: OsUser
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Start the server, and restart it when it exits unexpectedly, until it has no users."""
        with FileLock(self.paths.users_lock) as users:
            threading.Thread(target=self._await_last_user, args=[users], daemon=True).start()
            self._keep_running()

    def request_stop(self, *_: object) -> None:
        """Tell the server to end its sessions and stop; `run` returns when it has stopped."""
        self.stopping.set()
        self._stop_child()

    def _keep_running(self) -> None:
        quick_exits = 0
        while not self.stopping.is_set() and quick_exits < self._max_quick_exits():
            start = time.monotonic()
            self.process = self._start()
            if self.stopping.is_set():
                self._stop_child()
            if self.process.wait() == 0:
                return
            quick_exits = 0 if time.monotonic() - start > _STABLE_SECONDS else quick_exits + 1
            time.sleep(_PAUSE_SECONDS)

    def _max_quick_exits(self) -> int:
        # A killed server leaves its lock file; a server that rejects its settings or port leaves none.
        killed = (self.paths.data / "postmaster.pid").exists()
        return _MAX_EXITS_IF_KILLED if killed else _MAX_EXITS_IF_REFUSED

    def _start(self) -> subprocess.Popen[bytes]:
        port = _free_port(self.paths.port)
        self.paths.save_port(port)
        with _open_log(self.paths.log) as log:
            return subprocess.Popen(
                [*self.command, "-p", str(port)],
                cwd="/",
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_stop_with_parent,  # noqa: PLW1509 (no other thread of ours holds a lock)
                **self.user.subprocess_options(),
            )

    def _await_last_user(self, users: FileLock) -> None:
        # The lock is held to the end: a user that arrives now waits for it and then starts a new server.
        users.wait_exclusive()
        self.request_stop()

    def _stop_child(self) -> None:
        """Request a fast shutdown, and an immediate one if that hangs; the next start recovers from the log.

        PostgreSQL 18 was seen to hang when asked for a fast shutdown during its recovery from a killed session.
        """
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            quit_timer = threading.Timer(_FAST_STOP_SECONDS, self.process.send_signal, [signal.SIGQUIT])
            quit_timer.daemon = True
            quit_timer.start()


def _free_port(preferred: int | None) -> int:
    """Return the previous port if it is still free, so that saved connections keep working."""
    for port in (preferred, 0) if preferred else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"no free TCP port on {LOOPBACK}")


def _stop_with_parent() -> None:
    """Make Linux stop the server if this process is killed (`prctl(2)`, PR_SET_PDEATHSIG).

    A shell makes background processes ignore the signals that stop the server, so they are reset first.
    """
    for name in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(name, signal.SIG_DFL)
    if sys.platform == "linux":
        _LIBC.prctl(1, signal.SIGINT)


def _open_log(path: Path) -> BinaryIO:
    """Open the log for appending; a large log is renamed first."""
    if path.exists() and path.stat().st_size > _LOG_BYTES:
        path.replace(path.with_suffix(".log.old"))
    path.touch(mode=0o600)
    return path.open("ab")


def _detach(log: Path) -> None:
    """Continue in a child process without terminal, pipes and parent."""
    if os.fork():
        os._exit(0)
    with _open_log(log) as out, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)


def main(arguments: dict[str, Any]) -> int:
    """Detach and run the server that `etl.database.embedded.liveness` requested; return the exit status."""
    paths = ServerPaths(Path(arguments["folder"]))
    with FileLock(paths.supervisor_lock) as lock:
        # Other processes hold the lock for a moment while they check whether it is held.
        if not wait_until(lock.try_exclusive, _LOCK_SECONDS):
            raise TimeoutError(f"{paths.supervisor_lock} is locked: another supervisor is running")
        _detach(paths.log)
        lock.write_pid()
        supervisor = Supervisor(paths, OsUser(**arguments["account"]), arguments["command"])
        signal.signal(signal.SIGTERM, supervisor.request_stop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        supervisor.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
