"""A test run that hangs is stopped, with a report of what hangs and where."""

import subprocess
import sys
from pathlib import Path

import last_limit
import pytest

TESTS = """
import threading
from contextlib import suppress

import last_limit
import pytest

last_limit.GRACE = last_limit.FAREWELL = 1.0

@pytest.fixture(scope="{scope}")
def hanging():
    yield
    while True:
        with suppress(BaseException):  # any exception that interrupts it
            threading.Event().wait()

def test_hangs_when_it_is_over(hanging):
    raise AssertionError("seen at once")

def test_goes_on():
    pass
"""


@pytest.mark.parametrize(
    ("scope", "hung"),
    [("function", "test_hanging.py::test_hangs_when_it_is_over hangs"), ("session", "test_goes_on hangs")],
)
def test_a_process_whose_teardown_hangs_is_stopped(tmp_path: Path, scope: str, hung: str) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\ntimeout = 5\nsession_timeout = 60\n")
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["last_limit"]\n')
    (tmp_path / "test_hanging.py").write_text(TESTS.format(scope=scope))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly"]
    run = subprocess.run(
        command, cwd=tmp_path,
        capture_output=True, text=True, timeout=60, check=False,
        env={"PYTHONPATH": str(Path(last_limit.__file__).parent)},
    )  # fmt: skip
    assert run.returncode == 70, run.stdout
    assert hung in run.stderr
    assert "in hanging" in run.stderr, "the report shows where it hangs"
    assert "seen at once" in run.stderr
