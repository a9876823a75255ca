"""The simulator over a real socket: every call against its golden body, paging, tokens, refusals."""

import base64
import gc
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from simulator_client import Client, feed

from etl.simulator import Simulator, SimulatorSettings
from etl.simulator.routes import ROUTES

NOW = datetime(2026, 6, 15, 16, 30, tzinfo=UTC)
GOLDEN = Path(__file__).parents[1] / "unit/simulator/golden"
NULLABLE: dict[str, list[str]] = json.loads((GOLDEN / "nullable.json").read_text())
EVERYTHING = "startDate=2000-01-01&endDate=2030-01-01&pageSize=500"
EVERYTHING_MODIFIED = "modifiedStartDate=2000-01-01&modifiedEndDate=2030-01-01&pageNumber=1&pageSize=1000"
#: The golden body of each call, and the parameters with which it is asked.
CALLS = {
    "Contacts/LastModifiedCreated": ("contacts", EVERYTHING),
    "Contacts/LastModifiedCreatedCustomersEmployees": ("customers_and_employees", EVERYTHING),
    "Policies/LastModifiedCreated": ("policies", EVERYTHING),
    "Billing/LastModifiedCreated": ("billing", EVERYTHING),
    "Claims/LastModifiedCreated": ("claims", EVERYTHING),
    "Applications/LastModifiedCreated": ("applications", EVERYTHING),
    "Commissions/LastModifiedCreated": ("commissions", EVERYTHING),
    "enterprise/personaldrivers": ("personal_drivers", EVERYTHING_MODIFIED),
    "enterprise/personalvehicles": ("personal_vehicles", EVERYTHING_MODIFIED),
    "enterprise/endorsements": ("endorsements", EVERYTHING_MODIFIED),
    "Contacts/#/AccountInfo": ("account", ""),
    "Contacts/#/ContactSummaryDTO": ("contact", ""),
    "Contacts/#/Addresses": ("addresses", ""),
    "Policies/#/PolicyInfo": ("policy_info", ""),
    "Policies/#/Quotes": ("quotes", ""),
    "Policies/#/Adjustments": ("adjustments", ""),
    "Policies/#/Coverages": ("coverages", ""),
    "Policies/#/Equipment": ("equipment", ""),
    "Policies/#/GetBinderInfo": ("binder", ""),
    "PolicySummaryForApi": ("summary", "policyID=#"),
    "Documents/Images": ("documents", "entityId=#"),
    "ACORDForms/ByCustomer/#": ("acord_forms", ""),
    "Locations/UserLocationsV2": ("locations", ""),
    "Departments": ("departments", ""),
    "Carriers": ("carriers", ""),
    "Commissions/AgencyRules/Get": ("agency_rules", ""),
    "Commissions/ProducerRules/Get": ("producer_rules", ""),
    "BusinessLogic/Ping": ("ping", ""),
}
ASSUMED = [route.path for route in ROUTES if route.assumed]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(SimulatorSettings(contacts=200, now=NOW)) as running:
        yield running


@pytest.fixture(scope="module")
def client(simulator: Simulator) -> Client:
    return Client(simulator)


def assert_like(value: Any, golden: Any, nullable: list[str], where: str) -> None:
    """Keys are those of the golden body, casing and all, and values of its types; null only where that is known."""
    if value is None:
        assert where.rpartition(".")[2] in nullable or golden is None, f"{where} is null"
    elif isinstance(golden, dict):
        assert sorted(value) == sorted(golden), where
        for key, one in golden.items():
            assert_like(value[key], one, nullable, f"{where}.{key}")
    elif isinstance(golden, list):
        assert isinstance(value, list), where
        for one in value if golden else ():
            assert_like(one, golden[0], nullable, f"{where}[]")
    else:
        assert type(value) is type(golden), f"{where} is {value!r}"


def test_every_call_has_a_golden_body() -> None:
    assert sorted(CALLS) == sorted(route.path for route in ROUTES)


@pytest.mark.parametrize("path", CALLS)
def test_answers_are_like_the_golden_bodies(client: Client, simulator: Simulator, path: str) -> None:
    name, query = CALLS[path]
    golden = json.loads((GOLDEN / f"{name}.json").read_text())
    about_policies = path.startswith(("Policies", "PolicySummary"))
    keys = list(simulator.world.policies if about_policies else simulator.world.contacts)
    is_about_one = "#" in path + query
    verb = next(route.verb for route in ROUTES if route.path == path)
    answers = [
        client.get(f"{path}?{query}".replace("#", str(key)), {} if verb == "POST" else None)
        for key in (keys[:60] if is_about_one else keys[:1])
    ]
    for answer in answers:
        assert_like(answer, golden, NULLABLE.get(name, []), name)
    assert any(answers)


def test_a_feed_has_ten_items_a_page_and_at_most_five_hundred(client: Client) -> None:
    page = client.get(feed("Contacts", startDate="2000-01-01", endDate="2030-01-01"))
    assert (len(page["Data"]), page["TotalItems"], page["PagesTotal"], page["PageNumber"]) == (10, 200, 20, 1)
    assert client.raw(feed("Contacts", pageSize=500))[0] == 200
    status, _, body = client.raw(feed("Contacts", pageSize=501))
    assert status == 400
    assert "500" in json.loads(body)["Message"]


def test_billing_has_a_hundred_items_a_page(client: Client) -> None:
    assert len(client.get(feed("Billing"))["Data"]) == 100


@pytest.mark.parametrize("name", ["Contacts", "Policies", "Billing", "Claims", "Applications", "Commissions"])
def test_the_pages_of_a_feed_make_the_whole(client: Client, simulator: Simulator, name: str) -> None:
    whole: list[Any] = []
    first = client.get(feed(name, pageSize=37))
    for number in range(1, first["PagesTotal"] + 1):
        whole += client.get(feed(name, pageSize=37, pageNumber=number))["Data"]
    assert whole == list(getattr(simulator.world, name.lower()).values())
    assert client.get(feed(name, pageSize=37, pageNumber=first["PagesTotal"] + 1))["Data"] == []


@pytest.mark.parametrize(
    "query",
    ["pageNumber=0", "pageNumber=x", "pageSize=0", "pageSize=-1", "startDate=soon", "endDate=2024-02-30", "pageSize="],
)
def test_bad_parameters_are_refused(client: Client, query: str) -> None:
    assert client.raw(f"Contacts/LastModifiedCreated?{query}")[0] == 400


def test_names_of_paths_and_parameters_have_any_casing(client: Client) -> None:
    assert len(client.get("contacts/lastmodifiedcreated?PAGESIZE=3")["Data"]) == 3


def test_the_end_of_a_window_is_the_midnight_that_begins_the_day(client: Client, simulator: Simulator) -> None:
    key = next(iter(simulator.world.policies))
    day = simulator.world.policies.created(key).date()
    after = day + timedelta(days=1)

    def found(start: object, end: object) -> bool:
        page = client.get(feed("Policies", startDate=start, endDate=end, pageSize=500))
        return key in [one["PolicyId"] for one in page["Data"]]

    assert found(day, after)
    assert not found("2000-01-01", day)
    assert found(f"{day.year}-{day.month}-{day.day}", f"{after}T23:00:00Z")


def test_the_end_of_a_window_can_be_set_to_take_the_whole_day() -> None:
    with Simulator(SimulatorSettings(contacts=20, now=NOW, end_inclusive=True)) as simulator:
        world, client = simulator.world, Client(simulator)
        key = next(iter(world.contacts))
        day = world.contacts.created(key).date()
        page = client.get(feed("Contacts", startDate=day, endDate=day))
        assert key in [one["EntityID"] for one in page["Data"]]


def test_enterprise_calls_require_their_parameters_and_take_the_whole_last_day(
    client: Client, simulator: Simulator
) -> None:
    call = "enterprise/personaldrivers"
    key = next(iter(simulator.world.garage))
    touched = simulator.world.policies.modified(key) or simulator.world.policies.created(key)
    window = f"modifiedStartDate={touched.date()}&modifiedEndDate={touched.date()}"
    assert key in [row["PolicyId"] for row in client.get(f"{call}?{window}&pageNumber=1")["Data"]]
    assert client.raw(f"{call}?{window}")[0] == 400
    assert client.raw(f"{call}?pageNumber=1&modifiedStartDate=2020-01-01")[0] == 400
    assert client.raw(f"{call}?{window}&pageNumber=1&pageSize=1001")[0] == 400
    assert client.raw(f"{call}?{window}&pageNumber=1&pageSize=1000")[0] == 200


def test_commission_rules_are_paged_and_filtered_by_the_body(client: Client) -> None:
    path = "Commissions/AgencyRules/Get"
    page = client.get(path, {"PageNo": 2, "PageSize": 5})
    assert (page["PageNumber"], len(page["Data"])) == (2, 5)
    some = client.get(path, {"CarrierId": 70, "LobId": 1})
    assert {(one["CarrierId"], one["LobId"]) for one in some["Data"]} == {(70, 1)}
    assert client.raw(path, {"PageSize": 501})[0] == 400
    assert client.raw(path, [])[0] == 400
    producer = client.get("Commissions/ProducerRules/Get", {"ProducerList": [501]})["Data"]
    assert {one["ProducerID"] for one in producer} == {501}
    assert client.raw("Commissions/ProducerRules/Get", {"ProducerList": 501})[0] == 400


def test_wrong_verbs_unknown_ids_and_unknown_paths(client: Client) -> None:
    status, headers, _ = client.raw("Carriers", {})
    assert (status, headers["Allow"]) == (405, "GET")
    assert client.raw("Commissions/AgencyRules/Get")[0] == 405
    for path in (
        "Contacts/1/AccountInfo",
        "Policies/1/Quotes",
        "PolicySummaryForApi?policyID=1",
        "Documents/Images?entityId=1",
    ):
        status, headers, body = client.raw(path)
        assert status == 404
        assert "id 1" in json.loads(body)["Message"]
    for path in ("Nothing", "Contacts/abc/AccountInfo"):
        status, headers, body = client.raw(path)
        assert (status, headers["Content-Type"].split(";")[0]) == (404, "text/html")
        assert body.startswith(b"<!DOCTYPE html>")


def test_without_a_good_token_the_answer_is_401(simulator: Simulator) -> None:
    for authorization in ("Bearer wrong", "Basic wrong", ""):
        status, headers, _ = Client(simulator, authorization or "none").raw("Carriers")
        assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")


def test_key_and_secret_open_the_api_by_basic_access(simulator: Simulator) -> None:
    basic = base64.b64encode(b"demo:demo-secret").decode()
    assert Client(simulator, f"Basic {basic}").get("BusinessLogic/Ping") == "Pong"


def test_tokens_expire_and_are_refreshed_once() -> None:
    with Simulator(SimulatorSettings(contacts=5, now=NOW)) as simulator:
        client = Client(simulator)
        refresh = client.token()["refresh_token"]
        simulator.expire_tokens()
        assert client.raw("Carriers")[0] == 401
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh,
            "client_id": "demo",
            "client_secret": "demo-secret",
        }
        status, grant = client.grant(**form)
        assert (status, grant["expires_in"], grant["token_type"]) == (200, 3600, "Bearer")
        assert grant["refresh_token"] != refresh
        client.authorization = f"Bearer {grant['access_token']}"
        assert client.raw("Carriers")[0] == 200
        assert client.grant(**form) == (400, {"error": "invalid_grant"})


def test_wrong_credentials_are_refused(client: Client) -> None:
    good = {"client_id": "demo", "client_secret": "demo-secret", "username": "demo", "password": "demo-password"}
    good |= {"grant_type": "password"}
    assert client.grant(**good | {"password": "no"}) == (400, {"error": "invalid_grant"})
    assert client.grant(**good | {"client_secret": "no"}) == (401, {"error": "invalid_client"})
    assert client.grant(**good | {"grant_type": "password_credentials"}) == (400, {"error": "unsupported_grant_type"})
    assert client.send(client.simulator.token_url)[0] == 405


@pytest.mark.parametrize("path", ASSUMED)
def test_what_is_only_assumed_can_be_left_out(path: str) -> None:
    with Simulator(SimulatorSettings(contacts=3, now=NOW, documented_only=True)) as simulator:
        status, headers, _ = Client(simulator).raw(path.replace("#", "80001"))
        assert (status, headers["Content-Type"]) == (404, "text/html")


def test_what_is_documented_is_served_either_way() -> None:
    with Simulator(SimulatorSettings(contacts=3, now=NOW, documented_only=True)) as simulator:
        assert Client(simulator).raw(feed("Contacts"))[0] == 200


def test_the_date_header_tells_the_simulators_time(client: Client) -> None:
    assert parsedate_to_datetime(client.raw("Carriers")[1]["Date"]) == NOW


def test_the_clock_is_the_real_one_unless_it_is_set() -> None:
    with Simulator(SimulatorSettings(contacts=3)) as simulator:
        date = parsedate_to_datetime(Client(simulator).raw("Carriers")[1]["Date"])
        assert abs(datetime.now(UTC) - date) < timedelta(minutes=1)


def test_requests_are_kept_for_assertions() -> None:
    with Simulator(SimulatorSettings(contacts=3, now=NOW)) as simulator:
        client = Client(simulator)
        simulator.requests.clear()
        client.raw("Carriers?a=1")
        client.raw("Nothing")
        assert list(simulator.requests) == [("GET", "/v1/Carriers", "a=1", 200), ("GET", "/v1/Nothing", "", 404)]


def test_changes_appear_in_the_feed_of_today() -> None:
    with Simulator(SimulatorSettings(contacts=60, now=NOW)) as simulator:
        client = Client(simulator)
        today = {"startDate": "2026-06-15", "endDate": "2026-06-16", "pageSize": 500}

        def touched() -> int:
            return sum(client.get(feed(name, **today))["TotalItems"] for name in ("Contacts", "Policies", "Claims"))

        before = touched()
        words = simulator.change(40)
        assert len(words) == 40
        assert touched() > before


def test_a_live_simulator_changes_by_itself() -> None:
    with Simulator(SimulatorSettings(contacts=10, now=NOW, live=True, live_seconds=0.001)) as simulator:
        client = Client(simulator)
        for _ in range(200):
            client.get("BusinessLogic/Ping")
            if simulator.world.changes:
                break
        assert simulator.world.changes


def test_serving_ends_with_a_signal_and_prints_nothing() -> None:
    program = (
        "from etl.simulator import SimulatorSettings, serve; "
        "serve(SimulatorSettings(contacts=3), lambda one: print(one.api_url, flush=True))"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"http://127.0.0.1:")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stderr.read() == b""


@pytest.mark.parametrize("awaited", [0, 12])
def test_it_ends_at_once_though_an_answer_is_on_its_way(awaited: int, capfd: pytest.CaptureFixture[str]) -> None:
    ask = b"GET /v1/Carriers HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ZGVtbzpkZW1vLXNlY3JldA==\r\n\r\n"
    with Simulator(SimulatorSettings(contacts=3, faults=("stall:60",))) as simulator:
        plug = socket.create_connection(("127.0.0.1", simulator.port), timeout=10)
        plug.sendall(ask)
        assert len(plug.recv(awaited)) == awaited
        begun = time.monotonic()
    plug.close()
    gc.collect()  # a socket that was left open would be complained of here
    assert time.monotonic() - begun < 10
    assert capfd.readouterr() == ("", "")


def test_a_taken_port_is_an_error_and_not_a_hang(simulator: Simulator) -> None:
    with pytest.raises(OSError, match="address already in use"), Simulator(SimulatorSettings(port=simulator.port)):
        pass
