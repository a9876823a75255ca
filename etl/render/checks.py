"""The reference page of the checks: why each matters, what to do, and its query."""

from collections.abc import Iterator

from etl.checks import CHECKS, Check

HEAD = """# Checks across records

Rendered from the declarations by `python -m etl.render`; a test fails when this file is out of date.

A rule validates one value of one record. A check compares records with each other. Checks run after each load on the
rows that the run wrote and the rows that they are compared with, and once a day on all rows, because policies expire.
A hit is a [finding](../how-to/fix-findings.md) whose rule is the name of the check. The finding is marked fixed when
the check no longer hits the row. `qqetl checks` lists the checks with their open findings. `qqetl checks NAME` lists
the hits of one.

Every check is a view. Its columns are `tenant`, `id` and `source_id` of the row, `policy_number`, `customer_number`,
and `found`: the problem, as text without personal data.

| check | resource | severity |
| --- | --- | --- |"""


def checks_page() -> str:
    """Return the reference page of all checks."""
    index = (f"| [{check.name}](#{check.name}) | {check.resource} | {check.severity.value} |" for check in CHECKS)
    return "\n".join([HEAD, *index, "", *(line for check in CHECKS for line in check_section(check))])


def check_section(check: Check) -> Iterator[str]:
    """Yield the section of one check: why it matters, what to do, its query."""
    yield f"## {check.name}\n"
    yield f"{check.explanation}\n"
    yield f"- What to do: {check.fix}"
    yield f"- Column to look at: `{check.field}` of `{check.table}`. View: `{check.view}`.\n"
    yield f"```sql\n{check.sql};\n```\n"
