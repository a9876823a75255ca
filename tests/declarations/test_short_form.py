"""Without paths the short form of the suite runs; `--rest` runs the other tests, `--all` and a path leave none out."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from short_form import ROOT, SHORT

CONFTEST = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(ROOT / "tests/servers")!r})
import short_form
short_form.ROOT, short_form.SHORT = Path(__file__).parent, ("quick",)
pytest_plugins = ["short_form"]
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with two quick tests and one long test."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "pytest.ini").write_text("[pytest]\ntestpaths = quick long\n")
    (folder / "conftest.py").write_text(CONFTEST)
    for name, number in (("quick", 2), ("long", 1)):
        (folder / name).mkdir()
        tests = "\n".join(f"def test_{name}_{n}():\n    pass" for n in range(number))
        (folder / name / f"test_{name}.py").write_text(tests)
    return folder


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [([], 2), (["--rest"], 1), (["--all"], 3), (["long"], 1), (["-k", "long"], 0), (["--all", "-k", "long"], 1)],
)
def test_each_form_runs_its_tests(project: Path, arguments: list[str], passed: int) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n2", *arguments]
    said = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False).stdout
    counted = re.search(r"(\d+) passed", said)
    assert int(counted[1] if counted else 0) == passed, said
    assert ("./run test --all" in said) is (
        "--all" not in arguments and "--rest" not in arguments and "long" not in arguments[:1]
    )


def test_the_short_form_names_what_exists() -> None:
    assert [name for name in SHORT if not (ROOT / name).exists()] == []
