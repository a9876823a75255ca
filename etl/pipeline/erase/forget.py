"""Erases one person from all tables, in one transaction that also writes an audit row and a suppression entry."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, Engine, insert, text

from etl.config.settings import Settings
from etl.database.revisions import check_migrated
from etl.errors import UsageError
from etl.ledger.leases import hold_lease
from etl.ledger.staging import suppressions
from etl.ledger.staging.suppressions import SuppressionList
from etl.ledger.transaction import Ledger
from etl.models.bookkeeping import audit
from etl.pipeline.erase import erasure
from etl.pipeline.erase.erasure import DataSubject
from etl.privacy.personal_records import PEOPLE_TABLE, can_be_personal
from etl.resources import BY_NAME, CATALOGUE, PEOPLE, children_of
from etl.values import source_id


@dataclass(frozen=True, slots=True)
class ForgetResult:
    """The rows deleted or cleared by forgetting a person, by table; with `applied` false, those that would be."""

    contact: str
    applied: bool
    counts: Mapping[str, int]


def forget(engine: Engine, settings: Settings, contact: str, *, actor: str, dry: bool = False) -> ForgetResult:
    """Erase the person with a contact id, suppress later records about the person, and return the rows affected.

    `actor` is the user who requested it. Business facts (policies, premiums, claims) stay, without personal data.
    Raises UsageError for an unknown id, LeaseHeld while a run is active, DatabaseNotReady.
    """
    check_migrated(engine)
    contact_id = source_id(contact)
    if not isinstance(contact_id, str):
        raise UsageError(f"{contact!r} is not a contact id. Use an id from `contacts.source_id`.")
    tenant = settings.etl_tenant
    with hold_lease(engine, tenant, [resource.name for resource in CATALOGUE]) as lease:
        ledger = Ledger(engine, tenant, lease)
        transact = ledger.dry_run if dry else ledger.commit
        return ForgetResult(
            contact_id, not dry, transact(partial(erase_person, tenant=tenant, contact=contact_id, actor=actor))
        )


def erase_person(connection: Connection, tenant: str, contact: str, actor: str) -> dict[str, int]:
    """Erase a person and return the number of rows deleted or changed, by table."""
    suppressed = load_suppressions(connection, tenant, contact)
    person = DataSubject(tenant, contact, suppressed)
    erasure.collect_rows(connection, person)
    suppressions.add_suppressions(
        connection, suppressed, [(PEOPLE_TABLE, contact), *erasure.list_parent_rows(connection)]
    )
    counts: Counter[str] = Counter()
    for resource in CATALOGUE:
        if can_be_personal(resource):
            counts[f"raw.{resource.raw_table}"] += erasure.clear_staging(connection, person, resource)
    counts["etl.findings"] = erasure.clear_findings(connection, person)
    counts["etl.requests"] = erasure.clear_requests(connection, person)
    child_resources = [resource.name for resource in children_of(PEOPLE)]
    counts["etl.child_queue"] = suppressions.remove_from_queues(connection, tenant, child_resources, contact)
    counts.update(erasure.clear_production(connection, person))
    counts.update(erasure.clear_history(connection, person))
    affected = dict(+counts)
    write_audit(connection, person, actor, affected)
    return affected


def load_suppressions(connection: Connection, tenant: str, contact: str) -> SuppressionList:
    """Return the tenant's suppression list; raise UsageError for a contact that is not in the database."""
    query = text(f"""
        SELECT EXISTS (SELECT FROM public.{PEOPLE_TABLE} WHERE tenant = :tenant AND source_id = :contact)
            OR EXISTS (SELECT FROM raw.{BY_NAME[PEOPLE].raw_table} WHERE tenant = :tenant AND source_id = :contact)
    """)
    suppressed = suppressions.read_suppressions(connection, tenant) or suppressions.create_suppression_list(
        connection, tenant
    )
    if suppressed is None or not connection.execute(query, {"tenant": tenant, "contact": contact}).scalar():
        raise UsageError(
            f"No contact {contact} for tenant {tenant!r}. Use the contact's QQCatalyst id, from `contacts.source_id`."
        )
    return suppressed


def write_audit(connection: Connection, person: DataSubject, actor: str, counts: Mapping[str, int]) -> None:
    """Write the audit row: user, time, the person as a keyed hash, and the number of rows."""
    connection.execute(
        insert(audit).values(
            tenant=person.tenant,
            action="forget",
            actor=actor,
            subject=person.suppressed.digest(PEOPLE_TABLE, person.source_id),
            counts=dict(counts),
        )
    )
