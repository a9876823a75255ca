"""The reference page of the checks: why each matters, what to do, and its query."""

from collections.abc import Iterator

from etl.checks import CHECKS, Check


def all_checks() -> str:
    """Return the table and the sections of all checks."""
    index = (f"| [{check.name}](#{check.name}) | {check.resource} | {check.severity.value} |" for check in CHECKS)
    head = "| check | resource | severity |\n| --- | --- | --- |"
    return "\n".join([head, *index, "", *(line for check in CHECKS for line in check_section(check))]).rstrip()


def check_section(check: Check) -> Iterator[str]:
    """Yield the section of one check: why it matters, what to do, its query."""
    yield f"## {check.name}\n"
    yield f"{check.explanation}\n"
    yield f"- What to do: {check.fix}"
    yield f"- Column to look at: `{check.field}` of `{check.table}`. View: `{check.view}`.\n"
    yield f"```sql\n{check.sql};\n```\n"
