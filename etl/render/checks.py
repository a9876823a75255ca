"""The checks across records as a page: what each asks, why, what to do, and its query."""

from collections.abc import Iterator

from etl.checks import CHECKS, Check

HEAD = """# Checks across records

Rendered from the declarations by `python -m etl.render`; a test fails when this file is behind them.

A rule looks at one value of one record. A check asks whether records make sense together. Checks run after each load
on the rows that the run wrote and those that these are compared with, and once a day on everything, since time alone
makes a policy expire. A hit is a [finding](../how-to/fix-findings.md) whose rule is the name of the check; it is fixed
by itself once the check no longer hits. `qqetl checks` lists them with their open findings, `qqetl checks NAME` the
hits of one.

Every check is a view. Its columns are `tenant`, `id` and `source_id` of the row, `policy_number`, `customer_number`,
and `found`: what is wrong, in words without personal data.

| check | resource | severity |
| --- | --- | --- |"""


def checks_page() -> str:
    """Return the page of the reference that explains every check."""
    index = (f"| [{check.name}](#{check.name}) | {check.resource} | {check.severity.value} |" for check in CHECKS)
    return "\n".join([HEAD, *index, "", *(line for check in CHECKS for line in check_section(check))])


def check_section(check: Check) -> Iterator[str]:
    """Yield one check: why it matters, what to do, its query."""
    yield f"## {check.name}\n"
    yield f"{check.explanation}\n"
    yield f"- What to do: {check.cure}"
    yield f"- Column to look at: `{check.field}` of `{check.table}`. View: `{check.view}`.\n"
    yield f"```sql\n{check.sql};\n```\n"
