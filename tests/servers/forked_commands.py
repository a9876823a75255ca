"""Processes that run `qqetl`, forked from one that has imported it: a second of imports less for each command.

Run as a program, this file is the process that forks. An order is one message on its socket: a line of JSON and the
three files for standard input, output and error; the answer is the id of the child, and later its exit status.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

#: Variables that Python reads when it starts: a command that has other values needs a process of its own.
READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "PATH", "HOME")
MESSAGE = 1 << 20


def can_fork(environment: Mapping[str, str]) -> bool:
    """Return whether a forked process behaves like a new one with this environment."""
    return all(os.environ.get(name) == value for name, value in environment.items() if name.startswith(READ_AT_START))


class ForkedCommand:
    """A running command, with the methods of `subprocess.Popen` that tests use."""

    def __init__(
        self, words: Sequence[str], folder: Path, environment: Mapping[str, str], files: Sequence[int]
    ) -> None:
        """Start the command; it keeps copies of the files."""
        order = {"words": list(words), "folder": str(folder), "environment": dict(environment)}
        self.socket, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(fork_server(), [json.dumps(order).encode()], [*files, theirs.fileno()])
        self.pid = int(self.socket.recv(MESSAGE))
        self.returncode: int | None = None
        self.stdout: Any = None
        self.stderr: Any = None

    @classmethod
    def with_pipes(cls, words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> "ForkedCommand":
        """Start a command without input whose output can be read as text."""
        (out, their_out), (err, their_err), nothing = os.pipe(), os.pipe(), os.open(os.devnull, os.O_RDONLY)
        try:
            command = cls(words, folder, environment, (nothing, their_out, their_err))
        finally:
            for file in (nothing, their_out, their_err):
                os.close(file)
        command.stdout, command.stderr = os.fdopen(out, "r"), os.fdopen(err, "r")
        return command

    def poll(self) -> int | None:
        """Return the exit status, or None while the command runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status, negative for a signal; raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self.socket], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("qqetl", timeout or 0)
            self.returncode = int(self.socket.recv(MESSAGE))
            self.socket.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Return all output when the command has ended; raises subprocess.TimeoutExpired."""
        texts: dict[int, bytes] = {self.stdout.fileno(): b"", self.stderr.fileno(): b""}
        output, errors = texts
        unread, deadline = set(texts), time.monotonic() + (timeout or 1e6)
        while unread:
            ready, _, _ = select.select(list(unread), [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise subprocess.TimeoutExpired("qqetl", timeout or 0)
            for file in ready:
                part = os.read(file, MESSAGE)
                texts[file] += part
                if not part:
                    unread.discard(file)
        self.wait(max(0, deadline - time.monotonic()))
        self.close()
        return texts[output].decode(), texts[errors].decode()

    def send_signal(self, number: int) -> None:
        """Send a signal unless the command has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask the command to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the command at once."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Close the files."""
        for file in (self.stdout, self.stderr):
            if file is not None:
                file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
        self.wait()


@cache
def fork_server() -> socket.socket:
    """Start the forking process of this test process and return the socket for its orders; it ends with us."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MESSAGE)
    process = subprocess.Popen([sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()])
    theirs.close()
    atexit.register(process.wait)  # called after the socket is closed, last in first out
    atexit.register(ours.close)
    return ours


def serve(orders: socket.socket) -> dict[str, Any] | None:
    """Fork a child for each order and report its end; return the order in the child, None when the tests have ended."""
    running: dict[int, socket.socket] = {}  # by the file that becomes readable when the child has ended
    while True:
        ready, _, _ = select.select([orders.fileno(), *running], [], [])
        for file in running.keys() & set(ready):
            pid_socket = running.pop(file)
            _, status = os.waitpid(PIDS.pop(file), 0)
            os.close(file)
            with suppress(BrokenPipeError), pid_socket:
                pid_socket.send(str(os.waitstatus_to_exitcode(status)).encode())
        if orders.fileno() not in ready:
            continue
        message, files, _, _ = socket.recv_fds(orders, MESSAGE, 4)
        if not message:
            return None
        answer = socket.socket(fileno=files[3])
        pid = os.fork()
        if pid == 0:
            orders.close()
            answer.close()
            for file, other in running.items():
                os.close(file)
                other.close()
            for number, file in enumerate(files[:3]):
                os.dup2(file, number)
                os.close(file)
            order: dict[str, Any] = json.loads(message)
            return order
        for file in files[:3]:
            os.close(file)
        file = os.pidfd_open(pid)
        running[file], PIDS[file] = answer, pid
        with suppress(BrokenPipeError):
            answer.send(str(pid).encode())


#: The running children, by the file of `pidfd_open`.
PIDS: dict[int, int] = {}


def run(order: Mapping[str, Any]) -> int:
    """Run a command in this process as `python -m etl` does, and return the exit status."""
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    sys.argv = ["qqetl", *order["words"]]
    is_terminal = os.isatty(1)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 (the streams of the whole process)
    sys.stdout = open(1, "w", buffering=1 if is_terminal else -1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    return int(sys.modules["etl.cli.main"].main())


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main = import_module("etl.cli.main")
    for command in main.COMMANDS:
        import_module(f"etl.cli.commands.{command}")
    rules = import_module("etl.reshape.rules")
    for paths in (rules.CLEANING, rules.READING):
        rules.rules_digest(paths)  # parses the sources once for all commands
    received = serve(socket.socket(fileno=int(sys.argv[1])))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(0 if received is None else run(received))
