"""Which states the first three digits of a ZIP code belong to, as the view that a check looks them up in."""

import csv
from pathlib import Path

VIEW = "etl.zip_prefixes"

#: Runs of prefixes, first and last, with their states: as the US Postal Service gives out its codes.
FILE = Path(__file__).parent / "zip_prefixes.csv"


def prefix_ranges() -> list[tuple[int, int, tuple[str, ...]]]:
    """Return the runs of prefixes: first, last, and the states that they belong to."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        return [(int(run["first"]), int(run["last"]), tuple(run["states"].split())) for run in csv.DictReader(lines)]


def view_sql() -> str:
    """Return the query behind the view: a row a prefix, with its states."""
    values = ",\n    ".join(f"({first}, {last}, '{' '.join(states)}')" for first, last, states in prefix_ranges())
    return f"""-- The states that the first three digits of a ZIP code belong to.
SELECT lpad(CAST(number AS text), 3, '0') AS prefix, string_to_array(run.states, ' ') AS states
FROM (VALUES
    {values}
) AS run (first, last, states)
CROSS JOIN LATERAL generate_series(run.first, run.last) AS number"""
