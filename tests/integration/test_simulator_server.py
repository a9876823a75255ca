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

from etl.simulator import EXTRA_CALLS, Simulator, SimulatorSettings
from etl.simulator.access import ASSUMED_CALLS, REFUSALS
from etl.simulator.routes import ROUTES, Route

NOW = datetime(2026, 6, 15, 16, 30, tzinfo=UTC)
GOLDEN = Path(__file__).parents[1] / "unit/simulator/golden"
NULLABLE: dict[str, list[str]] = json.loads((GOLDEN / "nullable.json").read_text())
EVERYTHING = "startDate=2000-01-01&endDate=2030-01-01&pageSize=500"
EVERYTHING_MODIFIED = "modifiedStartDate=2000-01-01&modifiedEndDate=2030-01-01&pageNumber=1&pageSize=1000"
#: The parameters with which each call is asked: `#` is an id, of a policy, an office or a client.
QUERIES = {
    "contacts": EVERYTHING, "customers_and_employees": EVERYTHING, "policies": EVERYTHING, "billing": EVERYTHING,
    "claims": EVERYTHING, "applications": EVERYTHING, "commissions": EVERYTHING,
    "personal_drivers": EVERYTHING_MODIFIED, "personal_vehicles": EVERYTHING_MODIFIED,
    "endorsements": EVERYTHING_MODIFIED, "documents": "entityId=#", "files": "contactid=#&dlFileType=None",
    "summary": "policyID=#", "employees": "locationID=#&status=A&pageSize=100&pageNumber=1",
}  # fmt: skip
ENTERPRISE = [route.path for route in ROUTES if route.enterprise]
BASIC = f"Basic {base64.b64encode(b'demo:demo-secret').decode()}"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(SimulatorSettings(contacts=200, now=NOW)) as running:
        yield running


@pytest.fixture(scope="module")
def client(simulator: Simulator) -> Client:
    return Client(simulator, BASIC)


def golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


def assert_like(value: Any, like: Any, nullable: list[str], where: str) -> None:
    """Keys are those of the golden body, casing and all, and values of its types; null only where that is known."""
    if value is None:
        assert where.rpartition(".")[2] in nullable or like is None, f"{where} is null"
    elif isinstance(like, dict):
        assert sorted(value) == sorted(like), where
        for key, field in like.items():
            assert_like(value[key], field, nullable, f"{where}.{key}")
    elif isinstance(like, list):
        assert isinstance(value, list), where
        for item in value if like else ():
            assert_like(item, merged(like), nullable, f"{where}[]")
    else:
        assert like is None or type(value) is type(like), f"{where} is {value!r}"


def merged(items: list[Any]) -> Any:
    """Return one golden item with the fields that any of the golden items fills."""
    if not isinstance(items[0], dict):
        return items[0]
    return {key: next((item[key] for item in items if item[key] not in (None, [])), items[0][key]) for key in items[0]}


def filled(value: Any, where: str = "") -> set[str]:
    """Return the paths of the fields that have a value."""
    if isinstance(value, dict):
        return {path for key, field in value.items() for path in filled(field, f"{where}.{key}")}
    if isinstance(value, list):
        return {path for item in value for path in filled(item, f"{where}[]")}
    return set() if value is None else {where}


def keys_for(simulator: Simulator, route: Route) -> list[int]:
    """Return the ids that a call is about: of policies, of offices or of clients."""
    world = simulator.world
    if route.path.startswith("Locations") or route.name == "employees":
        return [office["LocationID"] for office in world.locations]
    if route.path.startswith(("Policies/#", "PolicySummary")):
        return [int(key) for key in world.policies]
    return world.clients


def answers_of(simulator: Simulator, client: Client, route: Route) -> list[Any]:
    """Return the answers of a call, for the first ids when it is about one record."""
    if route.name == "files_of_policy":
        return files_of_policies(simulator, client)
    address = f"{route.path}?{QUERIES.get(route.name, '')}"
    keys = keys_for(simulator, route)[: 150 if "#" in address else 1]
    return [
        client.get(address.replace("#", str(key)), {"PageSize": 500} if route.verb == "POST" else None) for key in keys
    ]


def files_of_policies(simulator: Simulator, client: Client) -> list[Any]:
    owned = [(owner, policy) for owner, policies in simulator.world.policies_of.items() for policy in policies]
    return [client.get(f"Files/FilesByPolicy?contactid={owner}&policyid={policy}") for owner, policy in owned[:150]]


def test_every_call_has_a_golden_body() -> None:
    names = {path.stem for path in GOLDEN.glob("*.json")} - {"nullable", "policy_info_summary_spelling"}
    assert names == {route.name for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_answers_are_like_the_golden_bodies(client: Client, simulator: Simulator, route: Route) -> None:
    like = golden(route.name)
    answers = answers_of(simulator, client, route)
    for answer in answers:
        assert_like(answer, like, NULLABLE.get(route.name, []), route.name)
    assert filled(like) <= {path for answer in answers for path in filled(answer)}


def test_carriers_agencies_and_staff_come_as_contacts(client: Client) -> None:
    people = client.get(f"Contacts/LastModifiedCreated?{EVERYTHING}")["Data"]
    kinds = [contact["ContactSubType"] or contact["ContactType"] for contact in people]
    assert {letter: kinds.count(letter) for letter in "RME"} == {"R": 25, "M": 4, "E": 9}
    assert {"C", "P"} < set(kinds)


@pytest.mark.parametrize(("spelling", "share"), [("own", 0.0), ("summary", 1.0), ("mixed", 0.5)])
def test_the_agent_and_csr_of_a_policy_have_two_spellings(spelling: str, share: float) -> None:
    settings = SimulatorSettings(contacts=60, now=NOW, policy_info_spelling=spelling)
    with Simulator(settings) as simulator:
        client, keys = Client(simulator), list(simulator.world.policies)
        answers = [client.get(f"Policies/{key}/PolicyInfo") for key in keys]
    others = [answer for answer in answers if "AgentName" in answer[0]]
    for answer in answers:
        name = "policy_info_summary_spelling" if answer in others else "policy_info"
        assert_like(answer, golden(name), NULLABLE[name], name)
    assert len(others) / len(answers) == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize("path", ENTERPRISE)
def test_enterprise_calls_refuse_a_bearer_token(simulator: Simulator, path: str) -> None:
    bearer, basic = Client(simulator, f"Bearer {token_of(simulator)}"), Client(simulator, BASIC)
    status, _, body = bearer.raw(f"{path}?{EVERYTHING_MODIFIED}")
    assert (status, json.loads(body)) == (403, {"Message": "Enterprise API access is required for this request."})
    assert basic.raw(f"{path}?{EVERYTHING_MODIFIED}")[0] == 200


def token_of(simulator: Simulator) -> str:
    token: str = Client(simulator, BASIC).token()["access_token"]
    return token


def test_an_enterprise_call_can_be_opened_by_name_and_refused_with_another_status() -> None:
    settings = SimulatorSettings(contacts=9, now=NOW, offered=("personal_drivers",), enterprise_refusal=401)
    with Simulator(settings) as simulator:
        client = Client(simulator, f"Bearer {token_of(simulator)}")
        assert client.raw(f"enterprise/personaldrivers?{EVERYTHING_MODIFIED}")[0] == 200
        assert client.raw(f"enterprise/endorsements?{EVERYTHING_MODIFIED}")[0] == 401


#: What each way of refusing a call answers: status and the beginning of the body.
REFUSED = {
    "help-page": (404, b"<!DOCTYPE html>"),
    "not-found": (404, b'{"Message"'),
    "bad-request": (400, b'{"Message"'),
    "server-error": (500, b'{"Message"'),
    "not-implemented": (501, b'{"Message"'),
    "bad-gateway": (502, b"<html>"),
    "login-redirect": (302, b""),
    "plain-text": (200, b"This feature"),
    "failed": (200, b'{"Result":null'),
    "other-envelope": (200, b"["),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_an_ordinary_account_refuses_what_nobody_documented(refusal: str) -> None:
    status, begin = REFUSED[refusal]
    settings = SimulatorSettings(contacts=9, now=NOW, documented_only=True, undocumented_answer=refusal)
    with Simulator(settings) as simulator:
        client = Client(simulator)
        answered, _, body = client.raw(feed("Claims"))
        assert (answered, body[: len(begin)]) == (status, begin)
        assert client.raw(feed("Contacts"))[0] == 200
        if refusal == "other-envelope":
            assert client.get("Departments")["Data"]


def test_calls_are_offered_and_refused_by_name() -> None:
    settings = SimulatorSettings(contacts=9, now=NOW, documented_only=True, offered=("claims",), refused=("tasks",))
    with Simulator(settings) as simulator:
        client, key = Client(simulator), simulator.world.clients[0]
        statuses = [client.raw(path)[0] for path in (feed("Claims"), "Departments", f"Contacts/{key}/Tasks")]
        assert statuses == [200, 404, 404]


def test_extra_calls_open_everything() -> None:
    settings = SimulatorSettings(contacts=9, now=NOW, documented_only=True, offered=EXTRA_CALLS)
    with Simulator(settings) as simulator:
        client = Client(simulator)
        for path in (feed("Claims"), "Departments", f"enterprise/personaldrivers?{EVERYTHING_MODIFIED}"):
            assert client.raw(path)[0] == 200


@pytest.mark.parametrize("names", [{"offered": ("nothing",)}, {"refused": ("nothing",)}, {"undocumented_answer": "no"}])
def test_names_of_calls_and_answers_are_checked(names: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="There is no"):
        Simulator(SimulatorSettings(contacts=0, **names))


def test_pages_above_a_hundred_can_be_refused() -> None:
    with Simulator(SimulatorSettings(contacts=9, now=NOW, max_page=100)) as simulator:
        client, key = Client(simulator), simulator.world.clients[0]
        for path in (feed("Contacts"), feed("Billing"), f"Contacts/{key}/Notes?"):
            separator = "" if path.endswith("?") else "&"
            assert client.raw(f"{path}{separator}pageSize=100")[0] == 200
            assert client.raw(f"{path}{separator}pageSize=101")[0] == 400
        assert client.raw("Commissions/AgencyRules/Get", {"PageSize": 101})[0] == 400


def test_employees_are_searched_by_office_and_status(client: Client, simulator: Simulator) -> None:
    office = simulator.world.locations[1]["LocationID"]
    page = client.get(f"Search/Employees/BasicSearch?locationID={office}&status=A&pageSize=100&pageNumber=1")
    assert {record["LocationID"] for record in page["Data"]} == {office}
    assert client.get("Search/Employees/BasicSearch?status=D")["TotalItems"] == 0
    assert client.get("Search/Employees/BasicSearch")["TotalItems"] == 9


def test_the_policies_of_a_customer_are_paged_by_other_names(client: Client, simulator: Simulator) -> None:
    key = max(simulator.world.policies_of, key=lambda owner: len(simulator.world.policies_of[owner]))
    whole = simulator.world.policies_of[key]
    page = client.get(f"Policies/ByCustomer/{key}?keyword=&page=2&rowCount=3")
    assert [record["PolicyId"] for record in page["Data"]] == whole[3:6]
    assert client.get(f"Policies/ByCustomer/{key}?rowCount=99999")["TotalItems"] == len(whole)


def test_a_feed_has_ten_items_a_page_and_at_most_five_hundred(client: Client) -> None:
    page = client.get(feed("Contacts", startDate="2000-01-01", endDate="2030-01-01"))
    assert (len(page["Data"]), page["TotalItems"], page["PagesTotal"], page["PageNumber"]) == (10, 238, 24, 1)
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
        return key in [record["PolicyId"] for record in page["Data"]]

    assert found(day, after)
    assert not found("2000-01-01", day)
    assert found(f"{day.year}-{day.month}-{day.day}", f"{after}T23:00:00Z")


def test_the_end_of_a_window_can_be_set_to_take_the_whole_day() -> None:
    with Simulator(SimulatorSettings(contacts=20, now=NOW, end_inclusive=True)) as simulator:
        world, client = simulator.world, Client(simulator)
        key = next(iter(world.contacts))
        day = world.contacts.created(key).date()
        page = client.get(feed("Contacts", startDate=day, endDate=day))
        assert key in [record["EntityID"] for record in page["Data"]]


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
    some = client.get(path, {"CarrierId": 70, "LobId": 6})
    assert {(record["CarrierId"], record["LobId"]) for record in some["Data"]} == {(70, 6)}
    assert client.raw(path, {"PageSize": 501})[0] == 400
    assert client.raw(path, [])[0] == 400
    producer = client.get("Commissions/ProducerRules/Get", {"ProducerList": [501]})["Data"]
    assert {record["ProducerID"] for record in producer} == {501}
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
    assert Client(simulator, BASIC).get("BusinessLogic/Ping") == "Pong"


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


@pytest.mark.parametrize("name", ASSUMED_CALLS)
def test_what_is_only_assumed_can_be_left_out(name: str) -> None:
    path = next(route.path for route in ROUTES if route.name == name)
    with Simulator(SimulatorSettings(contacts=3, now=NOW, documented_only=True)) as simulator:
        status, headers, _ = Client(simulator).raw(path.replace("#", "310"))
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
