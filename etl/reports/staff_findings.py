"""The view of findings for the staff, with the policy, customer number, office and agent of each record."""

from collections.abc import Iterator

from etl.models import PRODUCTION
from etl.models.base import Model

#: The columns of a finding that the view contains.
FINDING_COLUMNS = (
    "id", "tenant", "resource", "table_name", "source_id", "field", "rule", "severity", "state", "message", "raw_value",
    "first_seen", "last_seen", "times_seen", "batch_id", "raw_id",
)  # fmt: skip


def staff_findings_sql() -> str:
    """Return the query of `etl.findings_for_staff`: every finding, with the row's policy, customer, office and agent.

    These are null for refused records, which have no row, and for codes, which have no record.
    """
    return "\nUNION ALL\n".join(table_findings_sql(model) for model in PRODUCTION)


def table_findings_sql(model: type[Model]) -> str:
    """Return the query for the findings of one table, joined along the references of its rows."""
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
    contact_offices = [f"{contact}.location_id", f"{contact}.office_id"]
    offices = ["stored.id"] if table == "locations" else ["stored.location_id"] if "location_id" in columns else []
    columns_sql = ", ".join(f"known.{name}" for name in FINDING_COLUMNS)
    return f"""SELECT {columns_sql},
       {coalesce_sql(numbers)} AS policy_number, {contact}.customer_number,
       office.name AS office, {coalesce_sql([*agents, f"{contact}.agent_name"])} AS agent
FROM etl.findings AS known
LEFT JOIN public.{table} AS stored ON stored.tenant = known.tenant AND stored.source_id = known.source_id
{chr(10).join(join_clauses(columns, policy, with_policy=with_policy, with_contact=with_contact))}
LEFT JOIN public.locations AS office ON office.id = {coalesce_sql([*offices, *contact_offices])}
WHERE known.table_name = '{table}'"""


def join_clauses(columns: set[str], policy: str, *, with_policy: bool, with_contact: bool) -> Iterator[str]:
    """Yield the joins to the policy and the customer of a row."""
    if with_policy and policy != "stored":
        yield "LEFT JOIN public.policies AS policy ON policy.id = stored.policy_id"
    if with_contact:
        contact_ids = ["stored.contact_id"] if "contact_id" in columns else []
        contact_ids += [f"{policy}.contact_id"] if with_policy and policy != "stored" else []
        yield f"LEFT JOIN public.contacts AS contact ON contact.id = {coalesce_sql(contact_ids, 'uuid')}"


def coalesce_sql(expressions: list[str], of_type: str = "text") -> str:
    """Return an expression for the first of several expressions that is not null."""
    if not expressions:
        return f"CAST(NULL AS {of_type})"
    return expressions[0] if len(expressions) == 1 else f"coalesce({', '.join(dict.fromkeys(expressions))})"
