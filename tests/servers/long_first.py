"""A pytest plugin: files whose tests may take long begin first, so that the run does not end with one process busy."""

import pytest
from last_limit import limit_of


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Move files with a test above the usual timeout to the front; the order is kept otherwise."""
    usual = float(config.getini("timeout"))
    long = {item.path for item in items if limit_of(item) > usual}
    items.sort(key=lambda item: item.path not in long)
