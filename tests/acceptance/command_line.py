"""Run `qqetl` as a person or a scheduler does: in its own process, with its own environment."""

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from forked_commands import ForkedCommand, can_fork

from etl.simulator import Simulator

SECONDS = 90
#: Variables of this process that the command gets; other settings of the user stay outside.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class CommandLine:
    """A folder and an environment to run commands in."""

    folder: Path
    settings: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return inherited | {"ETL_DATA_DIR": str(self.folder / "data")} | dict(self.settings)

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        process = self.start(*words)
        try:
            stdout, stderr = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return subprocess.CompletedProcess(["qqetl", *words], process.wait(), stdout, stderr)

    def start(self, *words: str) -> "ForkedCommand | subprocess.Popen[str]":
        """Start a command; most are forked from a process that has imported qqetl already."""
        if can_fork(self.environment):
            return ForkedCommand.with_pipes(words, self.folder, self.environment)
        return subprocess.Popen(
            self.command(words), cwd=self.folder, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def on_terminal(self, *words: str, **settings: str) -> tuple[int, str]:
        """Run with a terminal of 80 columns; return the exit status and the output."""
        ours, theirs = pty.openpty()
        environment = self.environment | {"TERM": "xterm", "COLUMNS": "80", "LINES": "40"} | settings
        process = ForkedCommand(words, self.folder, environment, (theirs, theirs, theirs))
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # the other end is closed
            while part := os.read(ours, 65536):
                shown += part
        os.close(ours)
        return process.wait(SECONDS), shown.decode(errors="replace")

    @staticmethod
    def command(words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "etl", *words]

    def with_settings(self, **settings: str) -> "CommandLine":
        return CommandLine(self.folder, {**self.settings, **settings})


def settings_of(simulator: Simulator) -> dict[str, str]:
    """Return the settings that connect to a simulator."""
    return {
        "QQCATALYST_API_URL": simulator.api_url,
        "QQCATALYST_TOKEN_URL": simulator.token_url,
        "QQCATALYST_CLIENT_ID": simulator.settings.client_id,
        "QQCATALYST_CLIENT_SECRET": simulator.settings.client_secret,
        "QQCATALYST_USERNAME": simulator.settings.username,
        "QQCATALYST_PASSWORD": simulator.settings.password,
        "ETL_RATE": "0",
    }
