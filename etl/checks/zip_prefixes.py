"""The view of ZIP code prefixes and the states that they belong to."""

import csv
from pathlib import Path

VIEW = "etl.zip_prefixes"

#: Ranges of prefixes with their states, as assigned by the US Postal Service.
FILE = Path(__file__).parent / "zip_prefixes.csv"


def prefix_ranges() -> list[tuple[int, int, tuple[str, ...]]]:
    """Return the ranges of prefixes: first, last, and the states that they belong to."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        return [(int(row["first"]), int(row["last"]), tuple(row["states"].split())) for row in csv.DictReader(lines)]


def view_sql() -> str:
    """Return the query of the view: one row per prefix, with its states."""
    values = ",\n    ".join(f"({first}, {last}, '{' '.join(states)}')" for first, last, states in prefix_ranges())
    return f"""-- The states that the first three digits of a ZIP code belong to.
SELECT lpad(CAST(number AS text), 3, '0') AS prefix, string_to_array(run.states, ' ') AS states
FROM (VALUES
    {values}
) AS run (first, last, states)
CROSS JOIN LATERAL generate_series(run.first, run.last) AS number"""
