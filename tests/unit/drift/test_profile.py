"""The drift radar's eye: what a sample of records looks like, how large the sample is, and what is never kept."""

import msgspec
import pytest

from etl.catalogue import Resource
from etl.drift.declared_fields import find_declared_fields
from etl.drift.profiler import FULL_SAMPLE, MAX_PATHS, ODD_NAME, SAMPLE_INTERVAL, ResourceProfiler, SchemaProfiler
from etl.resources import CATALOGUE, resource

CONTACTS = resource("contacts")
#: Microseconds that a look at a large record takes on a slow machine; see docs/explanation/drift.md.
A_LOOK = 50


def seen(*records: object, name: str = "contacts") -> ResourceProfiler:
    """Return an eye that looked at some records."""
    eye = ResourceProfiler(resource(name))
    eye.observe([msgspec.json.encode(one) for one in records])
    return eye


def test_paths_types_and_empty_values_are_noted() -> None:
    shapes = seen({"A": 1, "B": "x"}, {"A": None, "B": "  "}, {"A": 1.5, "C": True}).profile.shapes
    assert (shapes["A"].present, shapes["A"].empty, shapes["A"].types) == (3, 1, {"number"})
    assert (shapes["B"].present, shapes["B"].empty, shapes["B"].types) == (2, 1, {"text"})
    assert shapes["C"].types == {"true or false"}


def test_what_lies_inside_is_noted_by_its_place() -> None:
    profile = seen({"L": [{"X": 1}, {"X": 2, "Y": {"Z": "z"}}, 7]}).profile
    assert set(profile.shapes) == {"L", "L[].X", "L[].Y", "L[].Y.Z"}
    assert profile.objects == {"": 1, "L[].": 2, "L[].Y.": 1}


def test_of_values_only_codes_are_kept_and_junk_is_not() -> None:
    eye = seen({"Status": "a"}, {"Status": "Q7"}, {"Status": "Rivera, Dana"}, {"Email": "d@example.com", "Status": 7})
    assert eye.profile.shapes["Status"].codes == {"A", "Q7"}
    assert "example.com" not in repr(eye.profile)
    assert "Rivera" not in repr(eye.profile)


def test_names_that_no_field_has_are_not_kept() -> None:
    """They may be somebody's data: an object with e-mail addresses for keys."""
    assert set(seen({"dana@example.com": 1, "": 2, "x" * 61: 3}).profile.shapes) == {ODD_NAME}


def test_what_is_removed_before_staging_is_not_even_named() -> None:
    assert set(seen({"CustomerID": 1, "UserPassword": "x", "UserID": 2}, name="account_info").profile.shapes) == {
        "CustomerID"
    }


def test_a_record_of_endless_fields_fills_no_memory() -> None:
    assert len(seen({f"f{number}": 1 for number in range(10 * MAX_PATHS)}).profile.shapes) == MAX_PATHS


@pytest.mark.parametrize("item", [b"", b"{", b"[]", b"7", b'"\xff"', b"[" * 100_000, b"null"])
def test_what_is_no_record_is_left_to_others(item: bytes) -> None:
    eye = ResourceProfiler(CONTACTS)
    eye.observe([item])
    assert eye.profile.objects == {}


def test_a_large_book_is_looked_at_now_and_then() -> None:
    """So that a look costs less than a microsecond a record."""
    eye, records = ResourceProfiler(CONTACTS), 0
    looks = 0
    for _ in range(400):
        looks += len(list(eye.sample([b"{}"] * 500)))
        records += 500
    assert FULL_SAMPLE <= looks <= FULL_SAMPLE + records // SAMPLE_INTERVAL
    assert looks * A_LOOK < records


@pytest.mark.parametrize("size", [1, 3, 7, 100, 500])
def test_the_sample_does_not_depend_on_the_size_of_pages(size: int) -> None:
    eye = ResourceProfiler(CONTACTS)
    numbers = [str(number).encode() for number in range(1000)]
    chosen = [one for at in range(0, 1000, size) for one in eye.sample(numbers[at : at + size])]
    assert chosen == [*numbers[:FULL_SAMPLE], *numbers[FULL_SAMPLE::SAMPLE_INTERVAL]]


def test_a_radar_forgets_what_it_told() -> None:
    radar = SchemaProfiler()
    assert radar.pop_profile(CONTACTS) is None
    radar.observe(CONTACTS, [b'{"EntityID": 1}'])
    profile = radar.pop_profile(CONTACTS)
    assert profile is not None
    assert set(profile.shapes) == {"EntityID"}
    assert radar.pop_profile(CONTACTS) is None


@pytest.mark.parametrize(
    ("name", "path", "known"),
    [
        ("contacts", "EntityID", True),
        ("contacts", "entityid", True),
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
def test_known_fields_are_derived_from_models_and_catalogue(name: str, path: str, known: bool) -> None:
    assert find_declared_fields(resource(name)).is_known(path) is known


@pytest.mark.parametrize("one", [one for one in CATALOGUE if one.endpoints], ids=lambda one: one.name)
def test_what_a_column_reads_is_known(one: Resource) -> None:
    about = find_declared_fields(one)
    assert about.expected <= set(about.columns)
    assert all(about.is_known(path) for path in about.columns)
    assert set(about.codes) <= about.paths


def test_each_of_two_calls_of_a_resource_has_a_sample_of_its_own() -> None:
    """The records of one may have fields that those of the other never have."""
    eye = ResourceProfiler(resource("commission_rules"))
    for _ in range(3):
        eye.observe([b'{"OfficeId": null}'] * FULL_SAMPLE, 0)
    eye.observe([b'{"OfficeId": 7}'] * 12, 1)
    office = eye.profile.shapes["OfficeId"]
    assert office.present - office.empty == 12
