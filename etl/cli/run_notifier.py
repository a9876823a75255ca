"""Send notifications, heartbeat and metrics at the end of a run."""

import sys
from types import TracebackType
from typing import Self

from etl.cli.session import CommandSession
from etl.config.settings import Settings
from etl.errors import DatabaseNotReady, DatabaseUnavailable
from etl.notifications import after_run


class RunNotifier:
    """Notifies about the runs of a block, and about database errors outside of runs if no person watches."""

    def __init__(self, settings: Settings, session: CommandSession | None = None) -> None:
        self._settings = settings
        self._session = session
        self._reported: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, DatabaseUnavailable | DatabaseNotReady) and error is not self._reported:
            self.notify_end(error)

    def with_session(self, session: CommandSession) -> Self:
        """Set the database to write to, and return self."""
        self._session = session
        return self

    def notify_end(self, error: Exception | None = None, *, succeeded: bool = True) -> None:
        """Notify about the end of a run; skip database errors that a person sees on the terminal."""
        self._reported = error
        is_database_error = isinstance(error, DatabaseUnavailable | DatabaseNotReady)
        if is_database_error and sys.stderr is not None and sys.stderr.isatty():
            return
        ledger = self._session.ledger if self._session is not None else None
        after_run(ledger, self._settings, error, whole=succeeded)
