"""The schema profiler: the shape of a sample, the size of the sample, and values that are never stored."""

import msgspec
import pytest

from etl.catalogue.resource import Resource
from etl.drift.declared_fields import find_declared_fields
from etl.drift.profiler import FULL_SAMPLE, MAX_PATHS, ODD_NAME, SAMPLE_INTERVAL, ResourceProfiler, SchemaProfiler
from etl.resources import CATALOGUE, find_resource

CONTACTS = find_resource("contacts")
#: Microseconds for a large record on a slow machine; see docs/explanation/drift.md.
SAMPLE_MICROSECONDS = 50


def observe_records(*records: object, name: str = "contacts") -> ResourceProfiler:
    """Return a profiler that observed some records."""
    profiler = ResourceProfiler(find_resource(name))
    profiler.observe([msgspec.json.encode(record) for record in records])
    return profiler


def test_paths_types_and_empty_values_are_counted() -> None:
    shapes = observe_records({"A": 1, "B": "x"}, {"A": None, "B": "  "}, {"A": 1.5, "C": True}).profile.shapes
    assert (shapes["A"].present, shapes["A"].empty, shapes["A"].types) == (3, 1, {"number"})
    assert (shapes["B"].present, shapes["B"].empty, shapes["B"].types) == (2, 1, {"text"})
    assert shapes["C"].types == {"true or false"}


def test_nested_fields_are_counted_by_path() -> None:
    profile = observe_records({"L": [{"X": 1}, {"X": 2, "Y": {"Z": "z"}}, 7]}).profile
    assert set(profile.shapes) == {"L", "L[].X", "L[].Y", "L[].Y.Z"}
    assert profile.objects == {"": 1, "L[].": 2, "L[].Y.": 1}


def test_only_codes_are_stored_and_not_other_values() -> None:
    profiler = observe_records(
        {"Status": "a"}, {"Status": "Q7"}, {"Status": "Rivera, Dana"}, {"Email": "d@example.com", "Status": 7}
    )
    assert profiler.profile.shapes["Status"].codes == {"A", "Q7"}
    assert "example.com" not in repr(profiler.profile)
    assert "Rivera" not in repr(profiler.profile)


def test_invalid_field_names_are_not_stored() -> None:
    """They may be personal data, for example an object with email addresses as keys."""
    assert set(observe_records({"dana@example.com": 1, "": 2, "x" * 61: 3}).profile.shapes) == {ODD_NAME}


def test_removed_secrets_are_not_in_the_profile() -> None:
    assert set(
        observe_records({"CustomerID": 1, "UserPassword": "x", "UserID": 2}, name="account_info").profile.shapes
    ) == {"CustomerID"}


def test_the_number_of_paths_is_limited() -> None:
    assert len(observe_records({f"f{number}": 1 for number in range(10 * MAX_PATHS)}).profile.shapes) == MAX_PATHS


@pytest.mark.parametrize("item", [b"", b"{", b"[]", b"7", b'"\xff"', b"[" * 100_000, b"null"])
def test_an_item_that_is_not_an_object_is_skipped(item: bytes) -> None:
    profiler = ResourceProfiler(CONTACTS)
    profiler.observe([item])
    assert profiler.profile.objects == {}


def test_a_large_book_is_sampled_at_an_interval() -> None:
    """The cost must stay below one microsecond per record."""
    profiler, records = ResourceProfiler(CONTACTS), 0
    sampled = 0
    for _ in range(400):
        sampled += len(list(profiler.sample([b"{}"] * 500)))
        records += 500
    assert FULL_SAMPLE <= sampled <= FULL_SAMPLE + records // SAMPLE_INTERVAL
    assert sampled * SAMPLE_MICROSECONDS < records


@pytest.mark.parametrize("size", [1, 3, 7, 100, 500])
def test_the_sample_does_not_depend_on_the_size_of_pages(size: int) -> None:
    profiler = ResourceProfiler(CONTACTS)
    numbers = [str(number).encode() for number in range(1000)]
    chosen = [value for at in range(0, 1000, size) for value in profiler.sample(numbers[at : at + size])]
    assert chosen == [*numbers[:FULL_SAMPLE], *numbers[FULL_SAMPLE::SAMPLE_INTERVAL]]


def test_a_profile_is_returned_once() -> None:
    profiler = SchemaProfiler()
    assert profiler.pop_profile(CONTACTS) is None
    profiler.observe(CONTACTS, [b'{"EntityID": 1}'])
    profile = profiler.pop_profile(CONTACTS)
    assert profile is not None
    assert set(profile.shapes) == {"EntityID"}
    assert profiler.pop_profile(CONTACTS) is None


@pytest.mark.parametrize(
    ("name", "path", "known"),
    [
        ("contacts", "EntityID", True),
        ("contacts", "entityid", False),  # a second spelling: the first has the declared one in a profile
        ("contacts", "Mood", False),
        ("policies", "LOBList[].Code", True),
        ("policies", "PolicyAgencyFees[].Amount", True),
        ("policies", "WritingCarrier", True),
        ("policies", "MGA", True),
        ("account_info", "UserPassword", True),
        ("drivers", "Drivers", True),
        ("drivers", "Drivers[].FirstName", True),
        ("drivers", "Drivers[].Mood", False),
        ("drivers", "DateLastModified", True),
        ("drivers", "FirstName", False),
        ("commission_rules", "SublineId", True),
        ("commission_rules", "kind", False),
    ],
)
def test_declared_fields_are_derived_from_models_and_catalogue(name: str, path: str, known: bool) -> None:
    assert find_declared_fields(find_resource(name)).is_known(path) is known


@pytest.mark.parametrize(
    "resource", [resource for resource in CATALOGUE if resource.endpoints], ids=lambda resource: resource.name
)
def test_the_source_of_every_column_is_declared(resource: Resource) -> None:
    about = find_declared_fields(resource)
    assert about.expected <= set(about.columns)
    assert all(about.is_known(path) for path in about.columns)
    assert set(about.codes) <= about.paths


def test_each_endpoint_of_a_resource_has_its_own_sample() -> None:
    """The records of one endpoint may have fields that records of the other endpoint never have."""
    profiler = ResourceProfiler(find_resource("commission_rules"))
    for _ in range(3):
        profiler.observe([b'{"OfficeId": null}'] * FULL_SAMPLE, 0)
    profiler.observe([b'{"OfficeId": 7}'] * 12, 1)
    office = profiler.profile.shapes["OfficeId"]
    assert office.present - office.empty == 12
