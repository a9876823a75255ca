"""Who looks after runs: notices, heartbeat and metrics, whatever a run ends with."""

import sys
from types import TracebackType
from typing import Self

from etl.cli.session import Work
from etl.config.settings import Settings
from etl.errors import DatabaseNotReady, DatabaseUnavailable
from etl.notifications import after_run


class Attendant:
    """Looks after the runs of a block; errors of the database outside of a run are told too, where nobody watches."""

    def __init__(self, settings: Settings, work: Work | None = None) -> None:
        self._settings = settings
        self._work = work
        self._seen: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, DatabaseUnavailable | DatabaseNotReady) and error is not self._seen:
            self.ended(error)

    def over(self, work: Work) -> Self:
        """Return the same attendant, who from now on has a database to write to."""
        self._work = work
        return self

    def ended(self, error: Exception | None = None, *, whole: bool = True) -> None:
        """Look after a run that ended; trouble with the database is told only where no person sees it anyhow."""
        self._seen = error
        of_database = isinstance(error, DatabaseUnavailable | DatabaseNotReady)
        if of_database and sys.stderr is not None and sys.stderr.isatty():
            return
        ledger = self._work.ledger if self._work is not None else None
        after_run(ledger, self._settings, error, whole=whole)
