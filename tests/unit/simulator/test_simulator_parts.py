"""The small parts of the simulator: collections, stamps, envelopes, tokens, parameters, planned faults."""

import base64
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from etl.simulator import (
    ASSUMED_CALLS,
    ASSUMED_FIELDS,
    ENTERPRISE_CALLS,
    EXTRA_CALLS,
    FAULTS,
    Simulator,
    SimulatorSettings,
    planned_faults,
)
from etl.simulator.answers.api_request import ApiRequest, RefusedRequest, page_of
from etl.simulator.answers.envelopes import ActionResult, Array, PagedAnswer, Whole
from etl.simulator.book import dates
from etl.simulator.collection import Collection
from etl.simulator.routes import ROUTES, find
from etl.simulator.tokens import Tokens

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
DEFAULTS = {name: fault.default for name, fault in FAULTS.items()}


@pytest.fixture
def collection() -> Collection:
    records = Collection()
    records.put(1, {"Id": 1, "DateLastModified": None, "HasBeenModified": False}, NOON)
    records.put(2, {"Id": 2, "DateLastModified": "x"}, NOON - timedelta(days=9), NOON + timedelta(days=1))
    return records


def test_a_window_takes_its_start_and_not_its_end(collection: Collection) -> None:
    assert collection.within(NOON, NOON + timedelta(seconds=1)) == [1]
    assert collection.within(NOON - timedelta(seconds=1), NOON) == []
    assert collection.within(None, None) == [1, 2]


def test_a_window_matches_by_either_date_or_one_of_them(collection: Collection) -> None:
    early, late = (NOON - timedelta(days=10), NOON - timedelta(days=8)), (NOON + timedelta(hours=1), None)
    assert collection.within(*early) == collection.within(*early, match="created") == [2]
    assert collection.within(*early, match="latest") == []
    assert collection.within(*late) == collection.within(*late, match="latest") == [2]
    assert collection.within(*late, match="created") == []
    assert collection.within(None, None, among=frozenset({1})) == [1]


def test_a_change_is_stamped_and_found(collection: Collection) -> None:
    at = NOON + timedelta(days=5)
    assert collection.within(at, None) == []
    item = collection.change(1, at, Name="new")
    assert item == {"Id": 1, "DateLastModified": "2026-06-20T12:00:00", "HasBeenModified": True, "Name": "new"}
    assert collection[1] == item
    assert collection.within(at, None) == [1]
    assert (collection.created(1), collection.modified(1)) == (NOON, at)


def test_a_silent_change_leaves_the_dates(collection: Collection) -> None:
    collection.change(1, None, Name="new")
    assert collection[1] == {"Id": 1, "DateLastModified": None, "HasBeenModified": False, "Name": "new"}
    assert collection.modified(1) is None
    assert collection.change(1, NOON, DateLastModified=None)["DateLastModified"] is None


def test_what_is_dropped_is_gone(collection: Collection) -> None:
    collection.drop(1)
    assert list(collection) == [2] == collection.within(None, None)
    assert 1 not in collection
    with pytest.raises(KeyError):
        collection[1]


def test_what_is_handed_out_is_a_copy(collection: Collection) -> None:
    collection[1]["Id"] = 99
    assert collection[1]["Id"] == 1


def test_the_windows_that_are_remembered_are_few(collection: Collection) -> None:
    for days in range(200):
        assert collection.within(NOON - timedelta(days=days), None)
    assert len(collection._kept_windows) < 100


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOON, "2026-06-15T12:00:00"),
        (NOON.replace(microsecond=130_000), "2026-06-15T12:00:00.13"),
        (NOON.replace(microsecond=700_000), "2026-06-15T12:00:00.7"),
        (NOON.replace(microsecond=553_000), "2026-06-15T12:00:00.553"),
    ],
)
def test_moments_are_written_with_a_short_fraction(moment: datetime, text: str) -> None:
    assert dates.plain(moment) == text
    assert dates.read(text) == moment


def test_moments_are_written_in_the_other_forms() -> None:
    at = datetime(2012, 7, 19, 13, 41, 59, 796086, tzinfo=UTC)
    assert dates.american(at) == "7/19/2012 1:41:59 PM"
    assert dates.american(at.replace(hour=0)) == "7/19/2012 12:41:59 AM"
    assert dates.seven_digits(at) == "2012-07-19T13:41:59.7960860+00:00"
    assert dates.midnight(date(2024, 2, 29)) == "2024-02-29T00:00:00"
    assert dates.read(dates.american(at)) == at.replace(microsecond=0)
    assert dates.read(dates.seven_digits(at)) == at


def test_the_five_envelopes() -> None:
    items = (b'{"A":1}', b'{"A":2}')
    assert json.loads(PagedAnswer(items, 2, 10, 12, 2, "http://x").body()) == {
        "Data": [{"A": 1}, {"A": 2}], "PageNumber": 2, "PagesTotal": 2, "TotalItems": 12, "IsSuccess": True,
        "ErrorCode": None, "ErrorMessage": None, "DisplayMessage": None, "Links": [], "Href": "http://x",
    }  # fmt: skip
    assert json.loads(PagedAnswer(items, 1, 100, 2, 1, "", is_enterprise=True).body()) == {
        "Data": [{"A": 1}, {"A": 2}], "PageNumber": 1, "PageSize": 100, "TotalItems": 2, "TotalPages": 1,
    }  # fmt: skip
    assert json.loads(ActionResult({"B": 1}, 7, 8).body()) == {
        "Result": {"B": 1}, "CreatedBy": None, "EntityID": 7, "RowSource": "QQ", "PolicyID": 8, "IsSuccess": True,
        "ErrorCode": None, "ErrorMessage": None, "InfoMessage": None,
    }  # fmt: skip
    assert Array(items).body() == b'[{"A":1},{"A":2}]'
    assert Whole({"A": "é"}).body() == '{"A":"é"}'.encode()


def grant(tokens: Tokens, **form: str) -> tuple[int, dict[str, Any]]:
    good = {"client_id": "demo", "client_secret": "demo-secret", "username": "demo", "password": "demo-password"}
    return tokens.grant(good | form, "")


def test_a_token_lives_as_long_as_it_says() -> None:
    clock = iter((100.0, 159.9, 160.0))
    tokens = Tokens(SimulatorSettings(token_seconds=60), clock=lambda: next(clock))
    status, answer = grant(tokens, grant_type="password")
    assert (status, answer["expires_in"]) == (200, 60)
    header = f"Bearer {answer['access_token']}"
    assert tokens.admits(header)
    assert not tokens.admits(header)


def test_a_refresh_token_is_good_once_and_its_client_may_come_by_header() -> None:
    tokens = Tokens(SimulatorSettings())
    basic = f"Basic {base64.b64encode(b'demo:demo-secret').decode()}"
    refresh = grant(tokens, grant_type="password")[1]["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": refresh}
    assert tokens.grant(form, "Basic wrong") == (401, {"error": "invalid_client"})
    assert tokens.grant(form, basic)[0] == 200
    assert tokens.grant(form, basic) == (400, {"error": "invalid_grant"})
    assert tokens.issued == 2


def test_basic_access_is_encoded_as_latin_1() -> None:
    tokens = Tokens(SimulatorSettings(client_id="clé", client_secret="ß"))
    assert tokens.admits(f"Basic {base64.b64encode('clé:ß'.encode('iso-8859-1')).decode()}")
    assert not tokens.admits(f"Basic {base64.b64encode('clé:ß'.encode()).decode()}")


@pytest.mark.parametrize("text", ["2022-1-10", "2022-01-10", "2022-01-10T23:59:59.123Z", "2022-01-10 08:00"])
def test_dates_are_read_as_days(text: str) -> None:
    assert ApiRequest(query={"startdate": text}).day("startDate") == datetime(2022, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2022", "10/1/2022", "2022-13-01", "2022-02-30", "2022-01-100", "now"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(RefusedRequest, match="startDate"):
        ApiRequest(query={"startdate": text}).day("startDate")


@pytest.mark.parametrize(("number", "size"), [(0, 10), (-1, 10), (1, 0), (1, 501)])
def test_pages_are_bounded(number: int, size: int) -> None:
    assert page_of(1, 500, 500) == (1, 500)
    with pytest.raises(RefusedRequest):
        page_of(number, size, 500)


def test_paths_are_found_with_their_ids() -> None:
    route = find("policies/12/policyinfo")
    assert route is not None
    assert (route[0].path, route[1]) == ("Policies/#/PolicyInfo", (12,))
    assert find("Policies/12/PolicyInfo/3") is None
    office, lists = find("Locations/310"), find("locations/userlocationsv2")
    assert office is not None
    assert lists is not None
    assert (office[0].name, lists[0].name) == ("location", "locations")


def test_every_call_says_how_well_it_is_known() -> None:
    assert set(ASSUMED_CALLS) == {
        "claims", "applications", "commissions", "coverages", "equipment", "departments", "cancellation_reasons",
        "carrier_fees",
    }  # fmt: skip
    assert set(ENTERPRISE_CALLS) == {"personal_drivers", "personal_vehicles", "endorsements"}
    assert set(ASSUMED_FIELDS) == {
        "phones", "emails", "tasks", "policy_lines", "premium", "carriers", "agency_rules", "producer_rules", "ping",
        "customers_and_employees",
    }  # fmt: skip
    assert EXTRA_CALLS == ASSUMED_CALLS + ENTERPRISE_CALLS
    assert len({route.name for route in ROUTES}) == len({route.path for route in ROUTES}) == len(ROUTES)


def test_planned_faults_are_read() -> None:
    fault = planned_faults.read("server-errors:3@2", DEFAULTS)
    assert (fault.name, fault.argument, fault.every) == ("server-errors", "3", 2)
    assert planned_faults.read("forbidden:Policies/1", DEFAULTS).argument == "Policies/1"
    assert planned_faults.read("slow", DEFAULTS).argument == FAULTS["slow"].default


@pytest.mark.parametrize("spec", ["nothing", "", "slow:soon", "bad-json@0", "null-modified:1", "server-errors:-"])
def test_what_is_no_fault_is_refused(spec: str) -> None:
    with pytest.raises(ValueError, match="fault"):
        planned_faults.read(spec, DEFAULTS)
    with pytest.raises(ValueError, match="fault"):
        Simulator(SimulatorSettings(contacts=0, faults=(spec,)))


def test_a_fault_strikes_each_nth_thing_at_its_first_askings() -> None:
    fault = planned_faults.read("server-errors@2", DEFAULTS)
    assert [fault.due(key) for key in "abbcd"] == [False, True, False, False, True]
    always = planned_faults.read("server-errors:always", DEFAULTS)
    assert [always.due("a", always.argument) for _ in range(3)] == [True, True, True]
    assert always.asked("a") == 3


def test_every_fault_says_what_it_does() -> None:
    assert all(name == fault.name and fault.words for name, fault in FAULTS.items())
