"""Findings with what the staff needs to find their records: policy, customer number, office, agent."""

from collections.abc import Iterator

from etl.models import PRODUCTION
from etl.models.base import Model

#: What a finding is, as it stands in its table.
FINDING_COLUMNS = (
    "id", "tenant", "resource", "table_name", "source_id", "field", "rule", "severity", "state", "message", "raw_value",
    "first_seen", "last_seen", "times_seen", "batch_id", "raw_id",
)  # fmt: skip


def staff_findings_sql() -> str:
    """Return the query behind `etl.findings_for_staff`: every finding, with the row's policy, customer, office, agent.

    Refused records have no row, and codes no record: of those nothing more is known.
    """
    return "\nUNION ALL\n".join(table_findings_sql(model) for model in PRODUCTION)


def table_findings_sql(model: type[Model]) -> str:
    """Return the findings of one table, joined along the references that its rows have."""
    table = model.__tablename__
    columns = set(model.__table__.columns.keys())
    with_policy, with_contact = "policy_id" in columns or table == "policies", table != "contacts"
    policy = "stored" if table == "policies" else "policy"
    contact = "contact" if with_contact else "stored"
    numbers = ["stored.policy_number"] if "policy_number" in columns else []
    agents = ["stored.agent_name"] if "agent_name" in columns else []
    if with_policy and policy != "stored":
        numbers.append("policy.policy_number")
        agents.append("policy.agent_name")
    ways = [f"{contact}.location_id", f"{contact}.office_id"]
    offices = ["stored.id"] if table == "locations" else ["stored.location_id"] if "location_id" in columns else []
    listed = ", ".join(f"known.{name}" for name in FINDING_COLUMNS)
    return f"""SELECT {listed},
       {coalesce_sql(numbers)} AS policy_number, {contact}.customer_number,
       office.name AS office, {coalesce_sql([*agents, f"{contact}.agent_name"])} AS agent
FROM etl.findings AS known
LEFT JOIN public.{table} AS stored ON stored.tenant = known.tenant AND stored.source_id = known.source_id
{chr(10).join(join_clauses(columns, policy, with_policy=with_policy, with_contact=with_contact))}
LEFT JOIN public.locations AS office ON office.id = {coalesce_sql([*offices, *ways])}
WHERE known.table_name = '{table}'"""


def join_clauses(columns: set[str], policy: str, *, with_policy: bool, with_contact: bool) -> Iterator[str]:
    """Yield the joins to a row's policy and to its customer."""
    if with_policy and policy != "stored":
        yield "LEFT JOIN public.policies AS policy ON policy.id = stored.policy_id"
    if with_contact:
        ways = ["stored.contact_id"] if "contact_id" in columns else []
        ways += [f"{policy}.contact_id"] if with_policy and policy != "stored" else []
        yield f"LEFT JOIN public.contacts AS contact ON contact.id = {coalesce_sql(ways, 'uuid')}"


def coalesce_sql(expressions: list[str], of_type: str = "text") -> str:
    """Return the first of several expressions that is not null."""
    if not expressions:
        return f"CAST(NULL AS {of_type})"
    return expressions[0] if len(expressions) == 1 else f"coalesce({', '.join(dict.fromkeys(expressions))})"
