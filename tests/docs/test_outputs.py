"""The outputs on the pages are what the commands print: blocks labeled `text demo`, shortened where they say `...`."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from command_line import CommandLine
from pages import ROOT, Example, examples

DEMO = [example for example in examples("text") if "demo" in example.labels]
#: What differs from day to day, because each demo makes up its agency: numbers and dates, how many of them a row of a
#: table has, names of people, and the widths of columns.
CHANGING = (
    (r"\d[\d,.]*", "0"), (r"(?<=\S) +", " "), (r"0( 0)+$", "0"), (r"\b[A-Z][a-z]+ [A-Z][a-z]+\b", "Name"), ("─+", "─"),
)  # fmt: skip


def shape(line: str) -> str:
    """Return a line without what differs from day to day."""
    for pattern, same in CHANGING:
        line = re.sub(pattern, same, line)
    return line.rstrip()


def as_printed(shown: Sequence[str], printed: Sequence[str]) -> list[str]:
    """Return the shown lines as they are printed now; raise LookupError for one that is not printed there."""
    lines: list[str] = []
    place, is_next = 0, False
    for line in shown:
        if line == "...":
            lines.append(line)
            is_next = False
            continue
        candidates = range(place, min(place + 1, len(printed)) if is_next else len(printed))
        found = next((number for number in candidates if shape(printed[number]) == shape(line)), None)
        if found is None:
            raise LookupError(f"{line!r} is not printed {'next' if is_next else 'below'}: {printed[place : place + 3]}")
        lines.append(printed[found].rstrip())
        place, is_next = found + 1, True
    return lines


def accept(example: Example, lines: Sequence[str]) -> None:
    """Write the lines to the page in place of those that it shows."""
    page = ROOT / example.page
    page.write_text(page.read_text().replace(example.text, "".join(f"{line}\n" for line in lines), 1))


def test_the_readme_and_the_quickstart_show_what_the_demo_prints(server_folder: Path) -> None:
    assert {example.page for example in DEMO} == {"README.md", "docs/quickstart.md"}
    done = CommandLine(server_folder, {"COLUMNS": "120"})("demo")
    assert done.returncode == 0, done.stderr
    for example in DEMO:
        lines = as_printed(example.text.splitlines(), done.stdout.splitlines())
        if os.environ.get("TEST_ACCEPT_GOLDEN") == "1":
            accept(example, lines)


PRINTED = """\
Table     Rows    New
─────────────────────
contacts   338
policies   559    562

Jody Vaughan  6  2026-12-06
done""".splitlines()


@pytest.mark.parametrize(
    "shown",
    [
        ["Table    Rows  New", "─────────────", "contacts  1,204  7"],
        ["contacts 1", "...", "Ann Smith 12 2027-01-01", "done"],
        ["policies 1", "", "Ann Smith 12 2027-01-01"],
    ],
)
def test_numbers_names_dates_and_widths_may_differ(shown: list[str]) -> None:
    assert [line for line in as_printed(shown, PRINTED) if line != "..."] == [
        line for line in PRINTED if shape(line) in {shape(wanted) for wanted in shown}
    ]


@pytest.mark.parametrize(
    "shown",
    [
        ["contacts 1", "Ann Smith 12 2027-01-01"],  # lines between them are missing without a sign
        ["policies 1", "...", "contacts 1"],  # in another order
        ["claims 1"],
        ["contacts"],
        ["Table Rows Changed"],
        ["done", "more"],
    ],
)
def test_other_lines_are_refused(shown: list[str]) -> None:
    with pytest.raises(LookupError):
        as_printed(shown, PRINTED)
