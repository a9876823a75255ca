"""Which updates of nested rows a batch needs, by the rows that it wrote."""

import pytest

from etl.load.nested import LEAVES, RETURNS, WRITTEN, Difference, find_updates
from etl.resources import find_resource

FEES, QUOTES = find_resource("fees"), find_resource("quotes")


@pytest.mark.parametrize(("counts", "expected"), [
    ({}, []),
    ({"quotes": {"inserted": 5, "updated": 2, "deleted": 0}, "fees": {"unchanged": 9}}, []),
    ({"quotes": {"deleted": 1}}, [(LEAVES, "around")]),
    ({"quotes": {"revived": 1}}, [(RETURNS, "around")]),
    ({"fees": {"inserted": 1}}, [(LEAVES, "stored")]),
    ({"fees": {"updated": 1, "deleted": 2}}, [(LEAVES, "stored"), (RETURNS, "stored")]),
    (None, [(difference, written) for written in WRITTEN for difference in (LEAVES, RETURNS)]),
])  # fmt: skip
def test_only_what_a_batch_wrote_can_part_nested_rows_from_the_record_around_them(
    counts: dict[str, dict[str, int]] | None, expected: list[tuple[Difference, str]]
) -> None:
    updates = find_updates(FEES, QUOTES, counts)
    assert [(update.difference, update.written) for update in updates] == expected
