"""Simulates a killed process in one process: from the n-th statement on, nothing reaches the database."""

from typing import Any

from sqlalchemy import Engine, event


class Killed(BaseException):
    """Raised like SIGKILL: no code catches it."""


class KilledEngine:
    """Makes every statement and commit of an engine fail from the n-th on, so the server rolls back."""

    def __init__(self, engine: Engine, statements: int) -> None:
        self.remaining = statements
        event.listen(engine, "before_cursor_execute", self._statement)
        event.listen(engine, "commit", self._commit)

    @property
    def is_dead(self) -> bool:
        return self.remaining <= 0

    def _statement(self, *_: Any) -> None:
        self._count()

    def _commit(self, _: Any) -> None:
        self._count()

    def _count(self) -> None:
        self.remaining -= 1
        if self.is_dead:
            raise Killed
