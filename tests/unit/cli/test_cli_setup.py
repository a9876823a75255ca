"""The set-up of the embedded database, which takes half a minute, is not silent."""

from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

from etl.cli.session import open_database
from etl.config.settings import Settings
from etl.database import resolve


class SlowServer:
    """A server that reports what it does."""

    url = "postgresql://postgres@127.0.0.1:1/qqcatalyst"

    def __init__(self, _folder: Path | None, *, say: Callable[[str], None]) -> None:
        self._say = say

    def __enter__(self) -> Self:
        self._say("Creating the embedded PostgreSQL ...")
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""


def test_the_set_up_of_the_embedded_database_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(resolve, "EmbeddedPostgres", SlowServer)
    with open_database(Settings(_env_file=None), embedded=True, create=True):
        pass
    assert capsys.readouterr().err.splitlines()[:2] == [
        "Creating the embedded PostgreSQL ...",
        "Database: postgresql://postgres@127.0.0.1:1/qqcatalyst (embedded)",
    ]
