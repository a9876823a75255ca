"""An answer about another record than the one that was asked for says nothing about either."""

from collections.abc import Callable
from typing import Any

import pytest
from sites import Site, make_children_due
from snapshots import differences, digest

from etl.simulator.book import contact_records


@pytest.mark.parametrize("of_another", [{"CustomerID": 0}, {"CustomerID": 987654}, {"CustomerID": None}])
def test_account_info_of_another_contact_changes_and_deletes_nothing(
    synced: Site, monkeypatch: pytest.MonkeyPatch, of_another: dict[str, Any]
) -> None:
    account: Callable[..., dict[str, Any]] = contact_records.account
    before = digest(synced.engine)
    make_children_due(synced)
    odd = of_another | {"CustomerSource": "Other"}
    monkeypatch.setattr(contact_records, "account", lambda *values: account(*values) | odd)
    synced.sync_once()
    assert not differences(before, digest(synced.engine))
