"""Files whose tests may take long begin first, with each seed of the random order."""

import subprocess
import sys
from pathlib import Path

import long_first
import pytest

LONG = """
import pytest

@pytest.mark.timeout(99)
def test_may_take_long():
    pass

def test_beside_it():
    pass
"""


@pytest.mark.parametrize("seed", range(3))
def test_files_of_long_tests_begin(tmp_path: Path, seed: int) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\ntimeout = 5\nsession_timeout = 60\n")
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["last_limit", "long_first"]\n')
    for name in "abxyz":
        (tmp_path / f"test_{name}.py").write_text("def test_short():\n    pass\n")
    (tmp_path / "test_long.py").write_text(LONG)
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, f"--randomly-seed={seed}"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(Path(long_first.__file__).parent)},
    )  # fmt: skip
    names = [line for line in done.stdout.splitlines() if "::" in line]
    assert {name.partition("::")[0] for name in names[:2]} == {"test_long.py"}, done.stdout + done.stderr
    assert len(names) == 7
