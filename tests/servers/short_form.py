"""A pytest plugin: without paths the short form of the suite runs, `--rest` runs the others, `--all` runs everything.

The short form holds the tests that tell most for their time. Tests that are named by a path or chosen by
`--lf` always run.
"""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: The folders and files of the short form.
SHORT = (
    "tests/unit",
    "tests/declarations",
    "tests/docs",
    "tests/integration/test_balance.py",
    "tests/integration/test_load_lock.py",
    "tests/integration/test_load_statements.py",
    "tests/acceptance/test_cli_road.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options `--all` and `--rest`."""
    group = parser.getgroup("short form of the suite")
    group.addoption("--all", dest="form", action="store_const", const="all", help="run every test")
    group.addoption(
        "--rest", dest="form", action="store_const", const="rest", help="run what the short form leaves out"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose the form; the processes that run the tests get it with the options."""
    if config.option.form is None:
        is_whole_suite = config.args_source is pytest.Config.ArgsSource.TESTPATHS
        is_whole_suite &= not config.getoption("lf", default=False)
        config.option.form = "short" if is_whole_suite else "all"


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say that some tests are left out."""
    return {
        "short": "form: short; ./run test --rest runs the other tests, ./run test --all runs every test",
        "rest": "form: the tests that the short form leaves out",
    }.get(config.option.form)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the form."""
    if config.option.form != "all":
        items[:] = [item for item in items if is_short(item.path) is (config.option.form == "short")]


def is_short(path: Path) -> bool:
    """Return whether a test file belongs to the short form."""
    return any(path.is_relative_to(ROOT / name) for name in SHORT)
