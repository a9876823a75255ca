"""A process that dies, without a process: from the n-th word to the database on, none of its words gets there."""

from typing import Any

from sqlalchemy import Engine, event


class Killed(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


class Mortal:
    """Lets all that an engine says from the n-th statement (or commit) on come to nothing: the server rolls back."""

    def __init__(self, engine: Engine, words: int) -> None:
        self.left = words
        event.listen(engine, "before_cursor_execute", self._statement)
        event.listen(engine, "commit", self._commit)

    @property
    def is_dead(self) -> bool:
        return self.left <= 0

    def _statement(self, *_: Any) -> None:
        self._speak()

    def _commit(self, _: Any) -> None:
        self._speak()

    def _speak(self) -> None:
        self.left -= 1
        if self.is_dead:
            raise Killed
