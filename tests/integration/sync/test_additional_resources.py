"""The resources beyond the first description: off by default where they cost calls, complete when they are on."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from databases import MIGRATED, clone_database
from sites import Site, make_children_due, open_site, serve_agency
from snapshots import differences, digest, pairs, row_versions, value, values
from sqlalchemy import text

from etl.database.embedded.server import EmbeddedPostgres
from etl.ledger.batches import read_batch_resources, read_newest_batch
from etl.models.states import BatchState, Outcome, ResourceState
from etl.pipeline.erase.forget import forget
from etl.resources import CATALOGUE
from etl.simulator import Simulator
from etl.status.status import load_status

OPTIONAL = (
    "notes", "policy_notes", "tasks", "contact_phones", "contact_emails", "contact_addresses", "files",
    "customer_details", "policy_lines", "premium",
)  # fmt: skip
ALL_ON = ",".join(f"+{name}" for name in ("drivers", "vehicles", "endorsements", *OPTIONAL))
TABLES = (
    "notes", "tasks", "contact_phones", "contact_emails", "contact_addresses", "customer_details", "endorsements",
)  # fmt: skip
#: The paths that only optional resources call.
OPTIONAL_PATHS = ("/Notes", "/Tasks", "/PhoneNumbers", "/Emails", "/Addresses", "Files/", "/CustomerDetailSummary",
                  "/PolicyLines", "/Premium")  # fmt: skip


@pytest.fixture(scope="module")
def full_database(server: EmbeddedPostgres, simulator: Simulator) -> Iterator[str]:
    """Give the name of a database that was synced once with every resource on."""
    with clone_database(server.url, MIGRATED) as url:
        with open_site(simulator, url, etl_resources=ALL_ON) as site:
            summary = site.sync_once()
        assert summary.exit_status == 0, summary.batch.error
        yield urlsplit(url).path.lstrip("/")


@pytest.fixture
def everything(server: EmbeddedPostgres, simulator: Simulator, full_database: str) -> Iterator[Site]:
    """Give the agency and a copy of that database; what the test changes in the agency is undone."""
    kept = dict(simulator.world.kept_details)
    with clone_database(server.url, full_database) as url, open_site(simulator, url, etl_resources=ALL_ON) as site:
        yield site
    simulator.world.kept_details.clear()
    simulator.world.kept_details.update(kept)


def customers(site: Site) -> list[int]:
    """Return the contacts that get calls of their own: those with account details."""
    return sorted(
        map(int, values(site.engine, "SELECT source_id FROM raw.raw_account_info WHERE superseded_at IS NULL"))
    )


def policies(site: Site) -> list[int]:
    """Return the policies that get calls of their own."""
    return sorted(map(int, values(site.engine, "SELECT source_id FROM public.v_policies")))


def of_contacts(site: Site, kind: str) -> list[dict[str, Any]]:
    return [item for key in customers(site) for item in site.simulator.world.detail(kind, key)]


def of_policies(site: Site, kind: str) -> list[dict[str, Any]]:
    return [item for key in policies(site) for item in site.simulator.world.detail(kind, key)]


def live_ids(site: Site, table: str) -> list[str]:
    return sorted(values(site.engine, f"SELECT source_id FROM public.v_{table}"))


def lines(site: Site, query: str) -> list[tuple[Any, ...]]:
    with site.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def ids(items: list[dict[str, Any]], key: str) -> list[str]:
    return sorted(str(item[key]) for item in items)


def test_by_default_no_optional_call_is_made(simulator: Simulator, as_synced: Site, database_url: str) -> None:
    simulator.requests.clear()
    with open_site(simulator, database_url) as site:
        site.sync_once()
    calls = [request.path for request in simulator.requests]
    assert calls
    assert not [call for call in calls if any(part in call for part in OPTIONAL_PATHS)]
    assert any("Search/Employees/BasicSearch" in call for call in calls)
    filled = [table for table in TABLES if value(as_synced.engine, f"SELECT count(*) FROM public.{table}")]
    assert filled == ["endorsements"]
    parts = set(values(as_synced.engine, "SELECT resource FROM etl.batch_resources"))
    assert parts == {entry.name for entry in CATALOGUE if not entry.is_optional}


def test_the_status_leaves_out_what_was_never_read(as_synced: Site, everything: Site) -> None:
    def names(site: Site) -> set[str]:
        with site.engine.connect() as connection:
            return {item.resource for item in load_status(connection, site.settings.etl_tenant).resources}

    assert names(as_synced) == {entry.name for entry in CATALOGUE if not entry.is_optional}
    assert names(everything) == {entry.name for entry in CATALOGUE}


def test_a_full_sync_with_everything_on_fills_every_table(everything: Site) -> None:
    site = everything
    with site.engine.connect() as connection:
        batch = read_newest_batch(connection, site.settings.etl_tenant)
        assert batch is not None
        parts = read_batch_resources(connection, batch.id)
    assert batch.status is BatchState.COMPLETED
    assert {part.resource: part.error for part in parts if part.status is not ResourceState.DONE} == {}
    assert live_ids(site, "notes") == sorted(
        [*ids(of_contacts(site, "notes"), "Id"), *ids(of_policies(site, "policy_notes"), "Id")]
    )
    assert live_ids(site, "tasks") == ids(of_contacts(site, "tasks"), "Id")
    assert live_ids(site, "contact_phones") == ids(of_contacts(site, "phones"), "PhoneID")
    assert live_ids(site, "contact_emails") == ids(of_contacts(site, "emails"), "EmailID")
    assert live_ids(site, "contact_addresses") == ids(of_contacts(site, "addresses"), "AddressID")
    assert live_ids(site, "customer_details") == sorted(map(str, customers(site)))
    assert live_ids(site, "endorsements")
    assert {table for table in TABLES if not live_ids(site, table)} == set()
    files = {str(item["Id"]): item for item in of_contacts(site, "files")}
    assert dict(
        pairs(site.engine, "SELECT source_id, file_size FROM public.v_documents WHERE file_size IS NOT NULL")
    ) == {key: item["FileSize"] for key, item in files.items()}


def test_what_is_only_staged_is_counted_and_has_no_rows(everything: Site) -> None:
    counts = {
        name: {
            Outcome(outcome): number for outcome, number in part.counts.items() if number and outcome == Outcome.NO_ROW
        }
        for part in parts_of(everything)
        if (name := part.resource) in {"cancellation_reasons", "carrier_fees", "policy_lines", "premium"}
    }
    staged = {name: value(everything.engine, f"SELECT count(*) FROM raw.raw_{name}") for name in counts}
    assert staged["premium"] == staged["policy_lines"] == len(policies(everything))
    assert staged["cancellation_reasons"] > 0
    assert staged["carrier_fees"] > 0
    assert counts == {name: {Outcome.NO_ROW: number} for name, number in staged.items()}
    states = set(pairs(everything.engine, "SELECT status, loaded_at IS NULL FROM raw.raw_premium"))
    assert states == {("loaded", True)}


def parts_of(site: Site) -> Any:
    with site.engine.connect() as connection:
        batch = read_newest_batch(connection, site.settings.etl_tenant)
        assert batch is not None
        return read_batch_resources(connection, batch.id)


def test_a_second_sync_of_an_unchanged_source_writes_nothing(everything: Site) -> None:
    before = row_versions(everything.engine)
    make_children_due(everything)
    assert everything.sync_once().exit_status == 0
    assert row_versions(everything.engine) == before
    assert everything.sync_once(full=True).exit_status == 0
    assert row_versions(everything.engine) == before


def test_what_a_parent_no_longer_has_is_deleted_and_comes_back(everything: Site) -> None:
    world = everything.simulator.world
    kinds = {"notes": "notes", "tasks": "tasks", "contact_phones": "phones", "contact_addresses": "addresses"}
    kept = {
        table: (kind, next(key for key in customers(everything) if world.detail(kind, key)))
        for table, kind in kinds.items()
    }
    before = {table: (world.detail(kind, key), live_ids(everything, table)) for table, (kind, key) in kept.items()}
    for kind, key in kept.values():
        world.keep(kind, key, [])
    make_children_due(everything)
    assert everything.sync_once().exit_status == 0
    for table, (items, live) in before.items():
        assert len(live_ids(everything, table)) == len(live) - len(items), table
    for table, (kind, key) in kept.items():
        world.keep(kind, key, before[table][0])
    make_children_due(everything)
    assert everything.sync_once().exit_status == 0
    assert {table: live_ids(everything, table) for table in before} == {
        table: live for table, (_, live) in before.items()
    }


@pytest.mark.fact("files-and-images")
def test_a_file_without_an_image_is_a_document_and_leaves_with_the_list_of_files(everything: Site) -> None:
    world, key = everything.simulator.world, customers(everything)[0]
    policy = next(iter(world.policies_of.get(key, ())), None)
    scan = {
        "Id": 990001, "FileName": "scan.pdf", "DisplayName": "Scan", "FileType": "pdf", "FileSize": 5,
        "CreatedBy": "Kim", "CreatedOn": "2025-03-01T00:00:00", "RelatedPolicyIDs": [policy] if policy else [],
        "CategoryDescriptor": "Claims",
    }  # fmt: skip
    world.keep("files", key, [*world.detail("files", key), scan])
    make_children_due(everything)
    assert everything.sync_once().exit_status == 0
    columns = "title, document_type, added_by, category, file_size, is_placeholder, deleted_at IS NULL"
    query = f"SELECT {columns} FROM public.documents WHERE source_id = '990001'"
    assert lines(everything, query) == [("Scan", "pdf", "Kim", "Claims", 5, False, True)]
    linked = """
        SELECT policy.source_id FROM public.document_policies AS link
        JOIN public.documents AS document ON document.id = link.document_id AND document.source_id = '990001'
        JOIN public.policies AS policy ON policy.id = link.policy_id
    """
    assert values(everything.engine, linked) == ([str(policy)] if policy else [])
    world.keep("documents", key, [*world.detail("documents", key), {"BlobInfoId": 990001, "Title": "Scanned letter"}])
    make_children_due(everything)
    assert everything.sync_once().exit_status == 0
    assert lines(everything, query) == [("Scanned letter", None, None, "Claims", 5, False, True)]
    world.keep("files", key, [item for item in world.detail("files", key) if item["Id"] != 990001])
    make_children_due(everything)
    assert everything.sync_once().exit_status == 0
    assert lines(everything, query)[0][-1] is True, "the list of images still has it"
    world.keep("documents", key, [item for item in world.detail("documents", key) if item["BlobInfoId"] != 990001])
    make_children_due(everything)
    assert everything.sync_once().exit_status == 0
    assert lines(everything, query)[0][-1] is False


@pytest.mark.fact("staff-search", "staff-and-contacts")
def test_an_employee_who_is_no_contact_comes_from_the_list_of_staff(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_agency() as simulator, clone_database(server.url, MIGRATED) as url, open_site(simulator, url) as site:
        world = simulator.world
        employee = world.contacts_of_type("E")[0]
        listed = world.contacts_of_type
        ada = employee | {"EntityID": 777, "DisplayName": "New, Ada"}
        monkeypatch.setattr(world, "contacts_of_type", lambda *letters: [*listed(*letters), ada])
        assert site.sync_once().exit_status == 0
        query = (
            "SELECT source_id, display_name, is_placeholder FROM public.v_employees WHERE source_id IN ('777', '{}')"
        )
        assert sorted(lines(site, query.format(employee["EntityID"]))) == sorted([
            ("777", "New, Ada", False), (str(employee["EntityID"]), employee["DisplayName"], False)
        ])  # fmt: skip
        county = values(site.engine, f"SELECT county FROM public.employees WHERE source_id = '{employee['EntityID']}'")
        assert county == [employee["County"]], "the list of staff overwrites no contact"
        monkeypatch.undo()
        make_children_due(site)
        assert site.sync_once().exit_status == 0
        assert values(site.engine, "SELECT source_id FROM public.v_employees WHERE source_id = '777'") == []


@pytest.mark.fact("pages-per-parent")
def test_every_page_of_a_parent_is_read(everything: Site) -> None:
    world, key = everything.simulator.world, customers(everything)[0]
    (like,) = (world.detail("notes", key) or of_contacts(everything, "notes"))[:1]
    many = [{**like, "Id": 9_000_000 + number, "AssignedContactId": key} for number in range(1203)]
    world.keep("notes", key, many)
    make_children_due(everything)
    everything.take_calls()
    assert everything.sync_once(resources=("notes",)).exit_status == 0
    calls = [call for call in everything.take_calls() if call.startswith(f"Contacts/{key}/Notes")]
    assert [call.partition("pageNumber=")[2].partition("&")[0] for call in calls] == ["1", "2", "3"]
    query = "SELECT count(*) FROM public.v_notes WHERE source_id LIKE '9000%' OR source_id LIKE '9001%'"
    assert value(everything.engine, query) == 1203


def test_a_forgotten_person_is_in_none_of_the_tables(everything: Site) -> None:
    world = everything.simulator.world
    person = next(
        key for key in customers(everything)
        if world.policies_of.get(key) and world.detail("phones", key) and world.detail("customer_summary", key)
    )  # fmt: skip
    assert forget(everything.engine, everything.settings, str(person), actor="test").applied
    owned = f"(SELECT id FROM public.contacts WHERE source_id = '{person}')"
    tables = [table for table in TABLES if table != "endorsements"]
    assert [
        table
        for table in tables
        if value(everything.engine, f"SELECT count(*) FROM public.{table} WHERE contact_id = {owned}")
    ] == []
    for name in ("notes", "policy_notes", "tasks", "contact_phones", "contact_emails", "contact_addresses", "files",
                 "customer_details", "policy_lines", "premium"):  # fmt: skip
        query = f"""
            SELECT count(*) FROM raw.raw_{name}
            WHERE raw_data #>> '{{_parent,EntityID}}' = '{person}' OR raw_data #>> '{{_parent,CustomerId}}' = '{person}'
        """
        assert value(everything.engine, query) == 0, name
    before = digest(everything.engine)
    make_children_due(everything)
    assert everything.sync_once(full=True).exit_status == 0
    assert differences(before, digest(everything.engine)) == []


@pytest.mark.fact("license-number")
def test_no_identity_number_of_a_customer_is_staged(everything: Site) -> None:
    details = of_contacts(everything, "customer_summary")
    numbers = [item[name] for item in details for name in ("SSN", "DriverLicenseNo") if item[name]]
    assert numbers
    staged = str(values(everything.engine, "SELECT raw_data::text FROM raw.raw_customer_details"))
    assert [number for number in numbers if number in staged] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT DISTINCT comment FROM masked.notes", [None]),
        ("SELECT DISTINCT left(phone, 3) FROM masked.contact_phones", ["***"]),
        ("SELECT DISTINCT left(email, 4) FROM masked.v_contact_emails", ["***@"]),
        ("SELECT DISTINCT concat(line1, line2, latitude, longitude) FROM masked.contact_addresses", [""]),
        ("SELECT DISTINCT concat(fein, salutation, birth_date) FROM masked.customer_details", [""]),
        ("SELECT DISTINCT concat(file_name, description) FROM masked.documents", [""]),
    ],
)
def test_personal_columns_are_masked(everything: Site, query: str, expected: list[Any]) -> None:
    assert values(everything.engine, query) == expected
