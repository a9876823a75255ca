"""JSON output: how each type of value is written."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from etl.cli.ui.terminal import format_json
from etl.models.states import BatchState, Outcome
from etl.window import Window


@dataclass(frozen=True, slots=True)
class Line:
    """A dataclass that a command prints."""

    name: str
    windows: tuple[Window, ...]

    @property
    def hidden(self) -> str:
        """A property is no field, so it is not printed."""
        return "hidden"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC), "2026-01-02T03:04:05.000600+00:00"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (UUID("0f91ae49-b9b0-4d83-bd62-75ce8008e4c6"), "0f91ae49-b9b0-4d83-bd62-75ce8008e4c6"),
        (BatchState.COMPLETED, "completed"),
        (Decimal("1.10"), "1.10"),
        (Counter({Outcome.INSERTED: 2}), {"inserted": 2}),
        (("a", None, True, 1.5), ["a", None, True, 1.5]),
        (
            Line("Müller", (Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)),)),
            {
                "name": "Müller",
                "windows": [{"start": "2026-01-01T00:00:00+00:00", "end": "2026-01-02T00:00:00+00:00"}],
            },
        ),
    ],
)
def test_a_value_is_written_as_programs_read_it(value: Any, written: Any) -> None:
    assert json.loads(format_json({"value": value})) == {"value": written}


def test_letters_of_other_languages_stay_readable() -> None:
    assert format_json({"name": "Müller"}) == '{\n  "name": "Müller"\n}'


def test_an_unknown_type_is_an_error_and_not_its_internal_form() -> None:
    with pytest.raises(TypeError):
        format_json({"value": object()})
