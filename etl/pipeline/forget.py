"""Forgetting one person in all tables, in one transaction that leaves an audit row and a way to know them again."""

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
from etl.pipeline import erasure
from etl.pipeline.erasure import DataSubject
from etl.privacy.personal_records import PEOPLE_TABLE, find_person_tables
from etl.resources import BY_NAME, CATALOGUE, PEOPLE, children_of
from etl.values import source_id


@dataclass(frozen=True, slots=True)
class ForgetResult:
    """What forgetting a person took away, or would take away: rows deleted or emptied, by table."""

    contact: str
    applied: bool
    counts: Mapping[str, int]


def forget(engine: Engine, settings: Settings, contact: str, *, actor: str, dry: bool = False) -> ForgetResult:
    """Erase the person whom QQCatalyst knows by an id, keep them from coming back, and return what was touched.

    `actor` is who asked for it. Business facts (policies, premiums, claims) stay without what names the person. Raises
    UsageError for an id that is not known, LeaseHeld while a run is at work, DatabaseNotReady.
    """
    check_migrated(engine)
    named = source_id(contact)
    if not isinstance(named, str):
        raise UsageError(f"{contact!r} is not the id of a contact. `contacts.source_id` has the ids.")
    tenant = settings.etl_tenant
    with hold_lease(engine, tenant, [one.name for one in CATALOGUE]) as lease:
        ledger = Ledger(engine, tenant, lease)
        transact = ledger.dry_run if dry else ledger.commit
        return ForgetResult(named, not dry, transact(partial(erase_person, tenant=tenant, contact=named, actor=actor)))


def erase_person(connection: Connection, tenant: str, contact: str, actor: str) -> dict[str, int]:
    """Erase a person and return how many rows of each table that took or changed."""
    forgotten = load_suppressions(connection, tenant, contact)
    person = DataSubject(tenant, contact, forgotten)
    erasure.collect_rows(connection, person)
    suppressions.add_suppressions(connection, forgotten, [(PEOPLE_TABLE, contact), *erasure.list_parent_rows(connection)])
    counts: Counter[str] = Counter()
    for resource in CATALOGUE:
        if resource.model.__tablename__ in find_person_tables():
            counts[f"raw.{resource.raw_table}"] += erasure.clear_staging(connection, person, resource)
    counts["etl.findings"] = erasure.clear_findings(connection, person)
    counts["etl.requests"] = erasure.clear_requests(connection, person)
    asked = [one.name for one in children_of(PEOPLE)]
    counts["etl.child_queue"] = suppressions.remove_from_queues(connection, tenant, asked, contact)
    counts.update(erasure.clear_production(connection, person))
    counts.update(erasure.clear_history(connection, person))
    touched = dict(+counts)
    write_audit(connection, person, actor, touched)
    return touched


def load_suppressions(connection: Connection, tenant: str, contact: str) -> SuppressionList:
    """Return the tenant's memory of forgotten people; raise UsageError for a contact that the database has not."""
    query = text(f"""
        SELECT EXISTS (SELECT FROM public.{PEOPLE_TABLE} WHERE tenant = :tenant AND source_id = :contact)
            OR EXISTS (SELECT FROM raw.{BY_NAME[PEOPLE].raw_table} WHERE tenant = :tenant AND source_id = :contact)
    """)
    forgotten = suppressions.read_suppressions(connection, tenant) or suppressions.create_suppression_list(connection, tenant)
    if forgotten is None or not connection.execute(query, {"tenant": tenant, "contact": contact}).scalar():
        raise UsageError(
            f"There is no contact {contact} of tenant {tenant!r}. The id is the one that QQCatalyst gave: "
            "`contacts.source_id`."
        )
    return forgotten


def write_audit(connection: Connection, person: DataSubject, actor: str, counts: Mapping[str, int]) -> None:
    """Write the audit row: who did it, when, to whom as a keyed hash, and how much it took."""
    connection.execute(
        insert(audit).values(
            tenant=person.tenant,
            action="forget",
            actor=actor,
            subject=person.forgotten.digest(PEOPLE_TABLE, person.source_id),
            counts=dict(counts),
        )
    )
