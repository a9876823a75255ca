"""Every fault of the simulator, met over a real socket."""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import IncompleteRead
from typing import Any

import pytest
from simulator_client import Client, feed

from etl.simulator import FAULTS, Simulator, SimulatorSettings

NOW = datetime(2026, 6, 15, 16, 30, tzinfo=UTC)
CARRIERS = "Carriers"
POLICIES = 59  #: what an agency of thirty clients has


@contextmanager
def faulty(*faults: str) -> Iterator[Client]:
    """Yield a client of a small simulator with some faults; its Basic access meets no faults of tokens."""
    with Simulator(SimulatorSettings(contacts=30, now=NOW, faults=faults)) as simulator:
        yield Client(simulator, "Basic ZGVtbzpkZW1vLXNlY3JldA==")


def statuses(client: Client, path: str, times: int) -> list[int]:
    return [client.raw(path)[0] for _ in range(times)]


def ids(page: Any) -> list[int]:
    return [record["PolicyId"] for record in page["Data"]]


def policies(client: Client, number: int, size: int = 10) -> Any:
    return client.get(feed("Policies", pageNumber=number, pageSize=size))


def token_expiry() -> None:
    with faulty("token-expiry:2") as client:
        client.authorization = f"Bearer {client.token()['access_token']}"
        assert statuses(client, CARRIERS, 3) == [200, 200, 401]
        client.authorization = f"Bearer {client.token()['access_token']}"
        assert statuses(client, CARRIERS, 1) == [200]


def token_errors() -> None:
    with faulty("token-errors:1") as client:
        url = client.simulator.token_url
        assert client.send(url, b"")[0] >= 500
        assert client.send(url, b"")[0] == 401


def token_refused() -> None:
    with faulty("token-refused:invalid_client") as client:
        assert client.grant(grant_type="password") == (401, {"error": "invalid_client"})
    with faulty("token-refused") as client:
        assert client.grant(grant_type="password") == (400, {"error": "invalid_grant"})


def token_answer() -> None:
    for variant, name, value in (
        ("no-token", "access_token", None), ("no-expiry", "expires_in", None), ("text-expiry", "expires_in", "3600"),
        ("zero-expiry", "expires_in", 0), ("negative-expiry", "expires_in", -1), ("other-type", "token_type", "mac"),
    ):  # fmt: skip
        with faulty(f"token-answer:{variant}") as client:
            assert client.token().get(name) == value
    with faulty("token-answer:html") as client, pytest.raises(json.JSONDecodeError):
        client.token()


def token_blocked() -> None:
    with faulty("token-blocked:1") as client:
        url = client.simulator.token_url
        assert [client.send(url, b"")[0] for _ in range(2)] == [403, 401]


def unauthorized_always() -> None:
    with faulty("unauthorized-always") as client:
        assert statuses(client, CARRIERS, 3) == [401, 401, 401]


def below_a_path(name: str, status: int, kind: str) -> Callable[[], None]:
    def check() -> None:
        with faulty(f"{name}:claims/") as client:
            answered, headers, _ = client.raw(feed("Claims"))
            assert (answered, headers["Content-Type"].split(";")[0]) == (status, kind)
            assert client.raw(CARRIERS)[0] == 200

    return check


def rate_limit() -> None:
    with faulty("rate-limit:3") as client:
        status, headers, _ = client.raw(CARRIERS)
        assert (status, headers["Retry-After"]) == (429, "3")
        assert client.raw(CARRIERS)[0] == 200
    with faulty("rate-limit:date@2") as client:
        assert statuses(client, CARRIERS, 2) == [200, 200]
        at = parsedate_to_datetime(client.raw("Departments")[1]["Retry-After"])
        assert abs(at - datetime.now(UTC)) < timedelta(seconds=10)


def call_limit() -> None:
    with faulty("call-limit:2") as client:
        answers = [client.raw(path) for path in (CARRIERS, "Departments", CARRIERS, "BusinessLogic/Ping")]
        assert [status for status, _, _ in answers] == [200, 200, 429, 429]
        assert answers[2][1]["Retry-After"] == "1"
        deadline = time.monotonic() + 5
        while client.raw(CARRIERS)[0] == 429:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def account_limit() -> None:
    with faulty("account-limit:2/0.5") as client:
        answers = [client.raw(path) for path in (CARRIERS, "Departments", CARRIERS)]
        assert [status for status, _, _ in answers] == [200, 200, 401]
        assert answers[2][2] == b"Maximum admitted 2 requests per Minute"
        deadline = time.monotonic() + 5
        while client.raw(CARRIERS)[0] == 401:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    for form, kind, body in (
        ("json", "application/json", b'{"Message": "Maximum admitted 0 requests per Minute."}'),
        ("html", "text/html", b"Maximum admitted 0 requests per Minute"),
        ("fixed,empty", "", b""),
    ):
        with faulty(f"account-limit:0/60,{form}") as client:
            status, headers, answer = client.raw(CARRIERS)
            assert (status, headers.get("Content-Type", "").partition(";")[0]) == (401, kind)
            assert body in answer
    with faulty("account-limit:3/60,others=60000") as client:
        assert client.raw(CARRIERS)[0] == 200
        time.sleep(0.05)
        assert client.raw(CARRIERS)[0] == 401


def call_quota() -> None:
    with faulty("call-quota:3") as client:
        assert statuses(client, CARRIERS, 4) == [200, 200, 200, 429]
        assert client.raw("Departments")[1]["Retry-After"] == "7200"


def server_errors() -> None:
    with faulty("server-errors:4") as client:
        codes = statuses(client, CARRIERS, 5)
        assert (sorted(codes[:4]), codes[4]) == ([500, 502, 503, 504], 200)
    with faulty("server-errors:always") as client:
        assert min(statuses(client, CARRIERS, 12)) >= 500


def html_login() -> None:
    with faulty("html-login") as client:
        status, headers, body = client.raw(CARRIERS)
        assert (status, headers["Content-Type"].split(";")[0]) == (200, "text/html")
        assert b"password" in body
        assert client.get(CARRIERS)


def redirect_login() -> None:
    with faulty("redirect-login:/login") as client:
        status, headers, _ = client.raw(CARRIERS)
        assert (status, headers["Location"]) == (302, "/login")
        assert client.get(CARRIERS)


def no_answer() -> None:
    for form, status, body in (("null", 200, b"null"), ("204", 204, b""), ("empty", 200, b""), ("object", 200, b"{}")):
        with faulty(f"no-answer:carriers,{form}") as client:
            assert client.raw(CARRIERS)[0::2] == (status, body)
            assert client.get(feed("Contacts"))["Data"]


def odd_success() -> None:
    with faulty("odd-success:202") as client:
        assert client.raw(CARRIERS)[0::2] == (202, b"")
        assert client.get(CARRIERS)


def gzip_bomb() -> None:
    with faulty("gzip-bomb:3") as client:
        body = client.raw(CARRIERS)[2]
        assert len(body) < 10_000
        assert len(gzip.decompress(body)) == 3 * 2**20


def page_drift() -> None:
    with faulty("page-drift:2") as client:
        first, second = policies(client, 1), policies(client, 2)
        assert ids(second)[0] == ids(first)[-1] + 3
        assert (len(second["Data"]), second["TotalItems"]) == (10, POLICIES - 2)
        assert ids(policies(client, 2))[0] == ids(first)[-1] + 1
    with faulty("page-drift:-2") as client:
        assert ids(policies(client, 2))[:2] == ids(policies(client, 1))[-2:]


def repeated_page() -> None:
    with faulty("repeated-page") as client:
        last = policies(client, 6)
        assert ids(policies(client, 7)) == ids(policies(client, 9)) == ids(last)
        assert policies(client, 9)["PagesTotal"] == 10


def empty_middle_page() -> None:
    with faulty("empty-middle-page") as client:
        assert ids(policies(client, 1))
        assert policies(client, 2)["Data"] == []
        assert ids(policies(client, 2))
        assert ids(policies(client, 6))


def wrong_total() -> None:
    for argument, total in (
        ("5", POLICIES + 5),
        ("-5", POLICIES - 5),
        ("null", None),
        ("text", "many"),
        ("negative", -1),
    ):
        with faulty(f"wrong-total:{argument}") as client:
            assert policies(client, 1)["TotalItems"] == total


def duplicate_records() -> None:
    with faulty("duplicate-records:2") as client:
        policy_ids = ids(policies(client, 1))
        assert policy_ids[10:] == policy_ids[:2]


def null_modified() -> None:
    with faulty("null-modified") as client:
        assert {record["DateLastModified"] for record in policies(client, 1, 60)["Data"]} == {None}
        assert "DateLastModified" not in client.get(feed("Billing"))["Data"][0]


def strange_modified() -> None:
    with faulty("strange-modified:9999-12-31T00:00:00") as client:
        assert {record["DateLastModified"] for record in policies(client, 1)["Data"]} == {"9999-12-31T00:00:00"}


def id_form() -> None:
    for form, kind in (("text", str), ("padded", str), ("float", float), ("list", list)):
        with faulty(f"id-form:{form}") as client:
            assert {type(policy) for policy in ids(policies(client, 1))} == {kind}
            assert {type(policy) for policy in ids(policies(client, 2))} == {int}


def no_id() -> None:
    with faulty("no-id:2") as client:
        assert [policy is None for policy in ids(policies(client, 1))] == [True, True, *[False] * 8]


def time_form() -> None:
    with faulty() as client:
        plain = policies(client, 1)["Data"][0]["CreatedOn"]
    for form, end in (("z", "Z"), ("offset", "-05:00"), ("seven", "0+00:00"), ("us", "M"), ("ticks", ")/")):
        with faulty(f"time-form:{form}") as client:
            created_on = policies(client, 1)["Data"][0]["CreatedOn"]
            assert created_on.endswith(end)
            assert created_on != plain


def set_field() -> None:
    with faulty("set-field:Mood=[7]") as client:
        assert {tuple(record["Mood"]) for record in policies(client, 1)["Data"]} == {(7,)}
    with faulty("set-field") as client:
        assert {record["Email"] for record in policies(client, 1)["Data"]} == {None}


def lost_field() -> None:
    with faulty("lost-field:Term") as client:
        assert all("Term" not in record and "LOB" in record for record in policies(client, 1)["Data"])


def foreign_links() -> None:
    with faulty("foreign-links") as client:
        assert policies(client, 1)["Href"] == "http://localhost:9/v1/"


def is_success_false() -> None:
    with faulty("is-success-false") as client:
        page = policies(client, 1)
        assert (page["IsSuccess"], page["Data"], page["ErrorCode"]) == (False, [], "5001")
        assert policies(client, 1)["IsSuccess"]
        key = next(iter(client.simulator.world.policies))
        assert not client.get(f"Policies/{key}/GetBinderInfo")["IsSuccess"]


def rename_field() -> None:
    with faulty("rename-field:CarrierID=Id") as client:
        assert {"Id", "Name"} <= set(client.get(CARRIERS)[0])
        assert "CarrierID" not in client.get(CARRIERS)[0]


def second_tenant() -> None:
    window = "modifiedStartDate=2000-01-01&modifiedEndDate=2030-01-01&pageNumber=1"
    with faulty("second-tenant") as client:
        rows = client.get(f"enterprise/personaldrivers?{window}")["Data"]
        assert len({row["QQTenantID"] for row in rows}) == 2
        assert client.get(feed("Policies"))["Data"]


def long_window() -> None:
    with faulty("long-window:31") as client:
        assert client.raw(feed("Policies", startDate="2026-01-01", endDate="2026-02-01"))[0] == 200
        assert client.raw(feed("Policies", startDate="2026-01-01", endDate="2026-02-02"))[0] == 504
        assert client.raw(feed("Policies"))[0] == 200
    with faulty("long-window:31,500") as client:
        assert client.raw(feed("Policies", startDate="2026-01-01", endDate="2026-02-02"))[0] == 500


def silent_window() -> None:
    with faulty("silent-window:31") as client:
        assert client.raw(feed("Policies", startDate="2026-01-01", endDate="2026-02-01"))[0] == 200
        with pytest.raises(TimeoutError):
            client.raw(feed("Policies", startDate="2026-01-01", endDate="2026-02-02"), timeout=0.5)


def id_casing() -> None:
    with faulty("id-casing") as client:
        policy = policies(client, 1)["Data"][0]
        assert {"PolicyID", "LOBID", "PriorPolicyId", "ProducerIds"} <= set(policy)
        assert not {"PolicyId", "PriorPolicyID"} & set(policy)
    with faulty("id-casing:lower") as client:
        info = client.get(f"Policies/{next(iter(client.simulator.world.policies))}/PolicyInfo")[0]
        assert {"policyid", "csrid", "PolicyNo"} <= set(info)
    with faulty() as client:
        plain = policies(client, 1)
    with faulty("id-casing:every") as client:
        respelled = policies(client, 1)
        assert not set(plain) & set(respelled)
        assert {name.lower() for name in respelled} == {name.lower() for name in plain}


def bad_json() -> None:
    with faulty("bad-json") as client:
        with pytest.raises(json.JSONDecodeError):
            client.get(CARRIERS)
        assert client.get(CARRIERS)


def slow() -> None:
    with faulty("slow:0.05") as client:
        begun = time.monotonic()
        assert client.get(CARRIERS)
        assert time.monotonic() - begun >= 0.05


def drip() -> None:
    with faulty("drip:100") as client:
        begun = time.monotonic()
        assert client.get("BusinessLogic/Ping") == "Pong"
        assert time.monotonic() - begun >= 0.05  # six bytes


def stall() -> None:
    with faulty("stall:0.05") as client:
        begun = time.monotonic()
        assert client.get(CARRIERS)
        middle = time.monotonic()
        assert client.get(CARRIERS)
        assert middle - begun >= 0.05


def cut_body() -> None:
    with faulty("cut-body") as client:
        with pytest.raises(IncompleteRead):
            client.raw(CARRIERS)
        assert client.get(CARRIERS)


def reset() -> None:
    with faulty("reset") as client:
        with pytest.raises(ConnectionResetError):
            client.raw(CARRIERS)
        assert client.get(CARRIERS)
    with faulty("reset:40") as client:
        with pytest.raises((ConnectionResetError, IncompleteRead)):
            client.raw(CARRIERS)
        assert client.get(CARRIERS)


def wrong_encoding() -> None:
    with faulty("wrong-encoding") as client:
        _, headers, body = client.raw(CARRIERS)
        assert headers["Content-Encoding"] == "gzip"
        with pytest.raises(gzip.BadGzipFile):
            gzip.decompress(body)
        assert "Content-Encoding" not in client.raw(CARRIERS)[1]


def large_record() -> None:
    with faulty("large-record:1") as client:
        weighed, again = (len(client.raw(feed("Contacts", pageSize=2))[2]) for _ in range(2))
        assert 2**20 < weighed - again < 2**20 + 100


def wrong_charset() -> None:
    with faulty("wrong-charset:latin-1") as client:
        assert client.raw(CARRIERS)[1]["Content-Type"] == "application/json; charset=latin-1"


def clock_skew() -> None:
    with faulty("clock-skew:-3600") as client:
        assert parsedate_to_datetime(client.raw(CARRIERS)[1]["Date"]) == NOW - timedelta(hours=1)


CHECKS: dict[str, Callable[[], None]] = {
    "token-expiry": token_expiry, "token-errors": token_errors, "token-refused": token_refused,
    "token-answer": token_answer, "unauthorized-always": unauthorized_always,
    "unauthorized": below_a_path("unauthorized", 401, "application/json"),
    "forbidden": below_a_path("forbidden", 403, "application/json"),
    "not-found": below_a_path("not-found", 404, "application/json"),
    "wrong-verb": below_a_path("wrong-verb", 405, "application/json"),
    "not-offered": below_a_path("not-offered", 404, "text/html"), "rate-limit": rate_limit,
    "call-limit": call_limit, "account-limit": account_limit, "token-blocked": token_blocked,
    "call-quota": call_quota,
    "server-errors": server_errors, "html-login": html_login, "redirect-login": redirect_login,
    "odd-success": odd_success, "no-answer": no_answer, "gzip-bomb": gzip_bomb, "page-drift": page_drift,
    "repeated-page": repeated_page,
    "empty-middle-page": empty_middle_page, "wrong-total": wrong_total, "duplicate-records": duplicate_records,
    "null-modified": null_modified, "strange-modified": strange_modified,
    "id-form": id_form, "no-id": no_id, "time-form": time_form, "set-field": set_field, "lost-field": lost_field,
    "foreign-links": foreign_links, "is-success-false": is_success_false,
    "id-casing": id_casing, "rename-field": rename_field, "second-tenant": second_tenant,
    "long-window": long_window, "silent-window": silent_window,
    "bad-json": bad_json, "slow": slow, "drip": drip, "stall": stall, "cut-body": cut_body, "reset": reset,
    "wrong-encoding": wrong_encoding, "clock-skew": clock_skew,
    "large-record": large_record, "wrong-charset": wrong_charset,
}  # fmt: skip


def test_every_fault_has_a_check() -> None:
    assert sorted(CHECKS) == sorted(FAULTS)


@pytest.mark.parametrize("name", CHECKS)
def test_fault(name: str) -> None:
    CHECKS[name]()


def test_several_faults_strike_together() -> None:
    with faulty("server-errors:1", "null-modified", "wrong-total:1") as client:
        assert client.raw(feed("Contacts"))[0] >= 500
        page = client.get(feed("Contacts"))
        assert page["TotalItems"] == 69
        assert page["Data"][0]["DateLastModified"] is None


def test_what_is_not_paged_has_no_faults_of_pages() -> None:
    with faulty("repeated-page") as client:
        key = next(iter(client.simulator.world.contacts))
        assert client.get(f"Contacts/{key}/Addresses")["PagesTotal"] == 1
