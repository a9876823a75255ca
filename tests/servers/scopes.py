"""A pytest plugin for the three scopes of the suite: the short form, everything, and what runs at night.

Without options and paths, tests marked `long` or `nightly` are left out. `--long` runs only the long ones, `--all`
both, `--nightly` only those of the night. A path runs everything below it but the tests of the night.
"""

import pytest

LONG, NIGHTLY = "long", "nightly"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that choose a scope."""
    group = parser.getgroup("scopes")
    group.addoption("--all", action="store_true", help="the short form and the long tests")
    group.addoption("--long", action="store_true", help="only the tests that the short form leaves out")
    group.addoption("--nightly", action="store_true", help="only the tests that take hours")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    config.addinivalue_line("markers", f"{LONG}: left out of the short form (./run test --long)")
    config.addinivalue_line("markers", f"{NIGHTLY}: more of the same proof, for the night (./run test --nightly)")


def pytest_report_header(config: pytest.Config) -> str:
    """Say which tests run, so that none is left out silently."""
    return {
        frozenset({"", LONG}): "scope: everything but the tests of the night (./run test --nightly)",
        frozenset({""}): "scope: the short form; everything: ./run test --all",
        frozenset({LONG}): "scope: only what the short form leaves out",
        frozenset({NIGHTLY}): "scope: only the tests of the night",
    }[scope_of(config)]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the scope."""
    scope = scope_of(config)
    items[:] = [item for item in items if kind_of(item) in scope]


def kind_of(item: pytest.Item) -> str:
    """Return the kind of a test: long, nightly or neither."""
    return next((name for name in (NIGHTLY, LONG) if item.get_closest_marker(name)), "")


def scope_of(config: pytest.Config) -> frozenset[str]:
    """Return the kinds of tests to run."""
    if config.option.nightly:
        return frozenset({NIGHTLY})
    if config.option.long:
        return frozenset({LONG})
    has_paths = config.args_source is not pytest.Config.ArgsSource.TESTPATHS
    return frozenset({"", LONG}) if config.option.all or has_paths else frozenset({""})
