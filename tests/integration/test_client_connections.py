"""The client: connections that break, stall or lie, and answers too large or oddly encoded."""

import asyncio
import gzip
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from certificates import certificate
from client_bench import CREDENTIALS, HTML, QUICK, against, feed
from scripted_api import ScriptedApi, Step, answer, cut, drip, page, token
from yarl import URL

from etl.api.client import ApiClient
from etl.api.proxy import environment_proxy
from etl.api.retry_policy import RetryPolicy
from etl.api.transport import Limits
from etl.config.settings import Settings
from etl.errors import ActionRequired, ApiUnavailable, CertificateRefused, Refusal

pytestmark = pytest.mark.timeout(30)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the machine's own proxies and authorities out of the tests."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


WHOLE = page(*range(1, 30))


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("sent", [0, 5, 40, 120, len(WHOLE) - 1])
def test_a_connection_that_ends_early_leaves_no_half_page(sent: int, reset: bool) -> None:
    outcome = against(ScriptedApi([cut(WHOLE[:sent], reset=reset), WHOLE]), feed())
    assert len(outcome.ids) == 29
    assert len(outcome.api.calls()) == 2


def test_a_chunked_answer_that_is_cut_is_asked_for_again() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    outcome = against(ScriptedApi([cut(head + b"1c\r\n" + b'{"Data":[{"EntityID": 1}],  ' + b"\r\n"), page(2)]), feed())
    assert outcome.ids == [b'{"EntityID": 2}']


@pytest.mark.parametrize("broken", [b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"])
def test_an_answer_that_is_no_http_is_asked_for_again(broken: bytes) -> None:
    assert against(ScriptedApi([cut(broken), page(1)]), feed()).ids


@pytest.mark.parametrize("stalled", [drip(WHOLE, 0.02), drip(WHOLE[:150] + b" " * 5000, 0.02)])
def test_a_server_that_drips_is_left_at_the_deadline(stalled: Step) -> None:
    began = time.monotonic()
    outcome = against(ScriptedApi([stalled, page(1)]), feed(), limits=Limits(total=0.4, connect=0.4, read=0.4))
    assert outcome.ids
    assert time.monotonic() - began < 3


def test_a_server_that_stalls_after_the_headers_is_left() -> None:
    async def stall(writer: asyncio.StreamWriter) -> None:
        writer.write(WHOLE[:120])
        await writer.drain()
        await asyncio.sleep(10)

    assert against(ScriptedApi([stall, page(1)]), feed(), limits=Limits(total=5, connect=1, read=0.2)).ids


def test_a_refused_connection_is_tried_again_and_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        outcome = against(ScriptedApi([page(1)]), feed(), qqcatalyst_api_url=nobody)
    assert isinstance(outcome.result, ApiUnavailable)
    assert "contacts, page 1" in str(outcome.result)
    assert "127.0.0.1 cannot be reached (ConnectionRefusedError)" in str(outcome.result)
    assert len(outcome.slept) == 4


def test_a_name_that_does_not_resolve_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts, real = [], socket.getaddrinfo

    def resolve(host: str, *rest: Any, **more: Any) -> Any:
        if host == "api.example.test":
            hosts.append(host)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    outcome = against(ScriptedApi([page(1)]), feed(), qqcatalyst_api_url="https://api.example.test/v1")
    assert isinstance(outcome.result, ApiUnavailable)
    assert "api.example.test could not be resolved" in str(outcome.result)
    assert len(hosts) == 5


def test_a_compressed_answer_is_read() -> None:
    squeezed = gzip.compress(b'{"Data":[{"EntityID":1}]}')
    assert against(ScriptedApi([answer(200, squeezed, Content_Encoding="gzip")]), feed()).ids == [b'{"EntityID":1}']


@pytest.mark.parametrize("body", [b" " * 200_000 + b"[]", gzip.compress(b"0" * 50_000_000, mtime=0)])
def test_an_answer_too_large_for_the_memory_is_refused_once(body: bytes) -> None:
    encoding = "gzip" if body[:2] == b"\x1f\x8b" else ""
    outcome = against(ScriptedApi([answer(200, body, Content_Encoding=encoding)]), feed())
    assert (outcome.result.reason, len(outcome.api.calls())) == (Refusal.TOO_LARGE, 1)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"no gzip at all", "gzip"),
        (gzip.compress(WHOLE, mtime=0)[:60], "gzip"),
        (b"\x01\x02", "br"),
        (b"\x01\x02", "odd"),
    ],
)
def test_a_wrong_content_encoding_is_a_fault_of_the_page(body: bytes, encoding: str) -> None:
    assert against(ScriptedApi([answer(200, body, Content_Encoding=encoding), page(1)]), feed()).ids


def test_a_wrong_charset_is_a_fault_of_the_page() -> None:
    odd = answer(200, '{"Data":[]}'.encode("utf-16-le") + b"\xd8", Content_Type="application/json; charset=utf-16-le")
    assert against(ScriptedApi([odd, page(1)]), feed()).ids


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(tmp_path: Path) -> None:
    tls, _ = certificate(tmp_path)
    outcome = against(ScriptedApi([page(1)], tls=tls), feed())
    assert isinstance(outcome.result, CertificateRefused)
    assert isinstance(outcome.result, ActionRequired)
    assert "SSL_CERT_FILE" in str(outcome.result)
    assert (outcome.api.asked, outcome.slept) == ([], [])


def test_a_private_authority_is_trusted_when_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls, public = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    assert against(ScriptedApi([page(1)], tls=tls), feed()).ids


@pytest.mark.parametrize("fault", [{"host": "other.example"}, {"days": -1}])
def test_a_wrong_host_or_an_expired_certificate_is_refused(
    fault: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, public = certificate(tmp_path, **fault)
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    assert isinstance(against(ScriptedApi([page(1)], tls=tls), feed()).result, CertificateRefused)


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> list[str]:
        async with ScriptedApi([page(1)], [token()]) as proxy:
            monkeypatch.setenv("http_proxy", proxy.address)
            settings = Settings(
                _env_file=None,
                qqcatalyst_api_url="http://127.0.0.1:9/v1",
                qqcatalyst_token_url="http://127.0.0.1:9/oauth/token",
                **CREDENTIALS,
            )
            async with ApiClient(settings, limits=QUICK, policy=RetryPolicy(attempts=1)) as client:
                with suppress(ApiUnavailable):
                    await client.fetch(feed())
            return [request.target for request in proxy.asked]

    assert asyncio.run(run())[0] == "http://127.0.0.1:9/oauth/token"


def test_a_login_of_netrc_is_never_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A `default` line holds somebody's login for all hosts; ours is in the form and in the header."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password elsewhere\nmachine 127.0.0.1 login x password y\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    outcome = against(ScriptedApi([page(1)], [token()]), feed())
    assert outcome.ids
    sent = [request.headers.get("Authorization", "") for request in outcome.api.asked]
    assert len(sent) == 2
    assert [value for value in sent if value.startswith("Basic")] == []


@pytest.mark.parametrize(
    ("url", "environment", "proxy"),
    [
        ("https://api.example.com/v1", {"https_proxy": "http://u:p@proxy:3128"}, "http://u:p@proxy:3128"),
        ("https://api.example.com/v1", {"https_proxy": "proxy:3128"}, "http://proxy:3128"),
        ("https://api.example.com/v1", {"http_proxy": "http://proxy:3128"}, None),
        ("https://api.example.com/v1", {"https_proxy": "http://proxy:3128", "no_proxy": ".example.com"}, None),
        ("http://127.0.0.1:9/v1", {}, None),
    ],
)
def test_only_a_proxy_is_taken_from_the_environment(
    url: str, environment: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy(URL(url)) == (None if proxy is None else URL(proxy))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_token_and_no_password_follow_a_redirect_to_another_host(status: int) -> None:
    async def run() -> tuple[list[Any], list[Any]]:
        async with ScriptedApi([page(1)]) as other:
            away = answer(status, Location=f"http://localhost:{other.port}/v1/elsewhere")
            async with ScriptedApi([away, page(1)], [away, token()]) as api:
                settings = Settings(
                    _env_file=None,
                    etl_rate=0,
                    qqcatalyst_api_url=f"{api.address}/v1",
                    qqcatalyst_token_url=f"{api.address}/oauth/token",
                    **CREDENTIALS,
                )
                async with ApiClient(settings, limits=QUICK, policy=RetryPolicy(first_pause=0.0)) as client:
                    await client.fetch(feed())
                return api.asked, other.asked

    requests, elsewhere = asyncio.run(run())
    assert (len(requests), elsewhere) == (4, [])


BOMB = """
import resource, sys, zlib
from client_bench import against, feed
from scripted_api import ScriptedApi, answer
from etl.api.transport import Limits
packer = zlib.compressobj(1, zlib.DEFLATED, 31)
body = b"".join(packer.compress(b" " * 2**20) for _ in range(int(sys.argv[1]))) + packer.flush()
seen = against(ScriptedApi([answer(200, body, Content_Encoding="gzip")]), feed(), limits=Limits(size=8 * 2**20))
print(type(seen.result).__name__, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.timeout(120)
def test_a_small_body_that_unpacks_into_a_huge_one_takes_no_more_memory_than_the_cap_allows() -> None:
    path = os.pathsep.join((str(Path(__file__).parents[2]), str(Path(__file__).parent)))

    def met(mebibytes: int) -> tuple[str, int]:
        command = [sys.executable, "-c", BOMB, str(mebibytes)]
        environment = os.environ | {"PYTHONPATH": path}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        result, peak = done.stdout.split()
        return result, int(peak)

    (refused, small), (refused_too, huge) = met(9), met(150)
    assert refused == refused_too == "EndpointRefused"
    assert huge - small < 32


def test_the_apis_clock_is_read_and_a_far_one_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    there = datetime.now(UTC) + timedelta(hours=1)
    far = answer(200, {"Data": []}, Date=f"{there:%a, %d %b %Y %H:%M:%S} GMT")
    outcome = against(ScriptedApi([far]), feed(), feed())
    assert abs(outcome.results[0].requested_at - there) < timedelta(seconds=30)
    assert abs(outcome.client.server_now() - datetime.now(UTC) - timedelta(hours=1)) < timedelta(seconds=30)
    assert [record.getMessage().count("clocks differ") for record in caplog.records] == [1]


@pytest.mark.parametrize(("days", "expected"), [(26, 0), (-26, -26), (0.9, 0.9), (-0.9, -0.9)])
def test_a_clock_beyond_the_bounds_is_named_and_the_earlier_one_counts(
    days: float, expected: float, caplog: pytest.LogCaptureFixture
) -> None:
    there = datetime.now(UTC) + timedelta(days=days)
    far = answer(200, {"Data": []}, Date=f"{there:%a, %d %b %Y %H:%M:%S} GMT")
    outcome = against(ScriptedApi([far]), feed(), feed())
    wanted = datetime.now(UTC) + timedelta(days=expected)
    assert abs(outcome.client.server_now() - wanted) < timedelta(seconds=30)
    assert abs(outcome.results[1].requested_at - wanted) < timedelta(seconds=30)
    assert outcome.client.api_clock.is_doubted is (abs(days) > 1)
    assert [record.getMessage().count("clocks differ") for record in caplog.records] == [1]


@pytest.mark.parametrize(("overlap", "hours", "expected"), [(2, 3, 0), (2, 1, 1), (2, -3, -3), (0, 3, 0)])
def test_a_clock_ahead_is_trusted_as_far_as_windows_overlap(overlap: float, hours: float, expected: float) -> None:
    """What changes between our time and the end of a window that lies ahead is read again only within the overlap."""
    there = datetime.now(UTC) + timedelta(hours=hours)
    far = answer(200, {"Data": []}, Date=f"{there:%a, %d %b %Y %H:%M:%S} GMT")
    outcome = against(ScriptedApi([far]), feed(), etl_overlap=timedelta(hours=overlap))
    wanted = datetime.now(UTC) + timedelta(hours=expected)
    assert abs(outcome.client.server_now() - wanted) < timedelta(seconds=30)
    assert outcome.client.api_clock.is_doubted is (hours != expected)


def test_one_odd_date_among_good_ones_changes_nothing() -> None:
    here, there = datetime.now(UTC) + timedelta(hours=1), datetime.now(UTC) - timedelta(days=26)
    good, odd = (answer(200, {"Data": []}, Date=f"{at:%a, %d %b %Y %H:%M:%S} GMT") for at in (here, there))
    outcome = against(ScriptedApi([good, odd, odd]), feed(), feed(), feed())
    assert abs(outcome.results[2].requested_at - here) < timedelta(seconds=30)


def test_no_error_holds_a_secret_or_anything_of_an_answer() -> None:
    scripts: list[Step] = [
        answer(500, b"Dana Rivera"),
        answer(403, {"Message": "Dana Rivera"}),
        answer(200, b'{"Data":["Dana Rivera'),
        HTML,
    ]
    for step in scripts:
        error = against(ScriptedApi([step]), feed()).result
        texts = [str(error), repr(error), str(error.__cause__), str(error.args)]
        assert not any(mark in text for mark in ("Dana", "demo-secret", "demo-password", "Bearer t") for text in texts)
