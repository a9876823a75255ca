"""Verdicts on answers, before their records are looked at."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.api.protocol import Call, Page, check_answer, retry_after
from etl.catalogue.resource import Envelope
from etl.errors import ApiUnavailable, CallFailed, EndpointRefused, NotFound, RateLimited, Refusal

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
JSON = {"Content-Type": "application/json"}


def call(envelope: Envelope = Envelope.PAGE, parent_id: str | None = None, *, documented: bool = True) -> Call:
    return Call("GET", "Things", (), None, "things", envelope, documented, page=1, parent_id=parent_id)


def contents(page: Page) -> list[object]:
    return [json.loads(item) for item in page.items]


@pytest.mark.parametrize(
    ("status", "headers", "body", "parent_id", "verdict"),
    [
        (401, JSON, b"{}", None, Refusal.UNAUTHORIZED),
        (403, JSON, b"{}", None, Refusal.FORBIDDEN),
        (405, JSON, b"{}", None, Refusal.METHOD),
        (404, JSON, b'{"Message":"no"}', None, Refusal.MISSING),
        (410, JSON, b"", None, Refusal.MISSING),
        (404, {"Content-Type": "text/html"}, b"<html>", "7", Refusal.HTML),
        (403, {}, b"<!DOCTYPE html>", None, Refusal.HTML),
        (200, JSON, b"\xef\xbb\xbf  <html>log in", None, Refusal.HTML),
        (200, {"Content-Type": "text/html; charset=utf-8"}, b"Please log in", None, Refusal.HTML),
        (400, JSON, b"{}", None, Refusal.REQUEST),
        (400, {"Content-Type": "text/html"}, b"<html>", None, Refusal.REQUEST),
        (413, {}, b"", None, Refusal.REQUEST),
        (414, {}, b"", None, Refusal.REQUEST),
        (431, {}, b"", None, Refusal.REQUEST),
        (422, {}, b"", None, Refusal.REQUEST),
    ],
)
def test_a_refusal_says_why(
    status: int, headers: dict[str, str], body: bytes, parent_id: str | None, verdict: Refusal
) -> None:
    with pytest.raises(EndpointRefused) as refused:
        check_answer(call(parent_id=parent_id), status, headers, body, NOW)
    assert (refused.value.reason, refused.value.status) == (verdict, status)
    assert refused.value.not_offered is (verdict is not Refusal.REQUEST)


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 301, 302, 307, 202, 206, 203, 407, 599])
def test_what_may_pass_is_unavailable(status: int) -> None:
    with pytest.raises(ApiUnavailable) as error:
        check_answer(call(), status, {"Location": "https://elsewhere.example/"}, b"<html>", NOW)
    assert not isinstance(error.value, RateLimited)


@pytest.mark.parametrize("body", [b'{"Message":"No such policy"}', b"", b"null"])
def test_a_404_on_the_details_of_one_record_means_that_it_vanished(body: bytes) -> None:
    with pytest.raises(NotFound):
        check_answer(call(Envelope.ARRAY, "7"), 404, JSON, body, NOW)


@pytest.mark.parametrize("status", [200, 204])
def test_a_good_answer_passes(status: int) -> None:
    check_answer(call(), status, JSON, b"{}", NOW)


def test_a_403_that_names_a_time_is_a_wait_and_no_refusal() -> None:
    with pytest.raises(CallFailed) as error:
        check_answer(call(), 403, {"Retry-After": "17"}, b"<html>Request blocked", NOW)
    assert error.value.retry_after == 17


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_that_is_asked_for_travels_with_the_error(status: int) -> None:
    with pytest.raises(ApiUnavailable) as error:
        check_answer(call(), status, {"Retry-After": "17"}, b"", NOW)
    assert error.value.retry_after == 17
    assert isinstance(error.value, RateLimited) is (status == 429)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("99999999999999999999", 7 * 86_400),
        ("Sat, 31 Jan 2026 12:01:30 GMT", 90),
        ("Saturday, 31-Jan-26 12:01:30 GMT", 90),
        ("Sat Jan 31 12:01:30 2026", 90),
        ("Sun Feb  1 12:00:00 2026", 86_400),
        ("Sat, 31 Jan 2026 11:00:00 GMT", 0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Fri, 31 Jan 2130 12:00:00 GMT", 7 * 86_400),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("1e3", None),
        ("120, 60", None),
        ("soon", None),
        ("now", None),
        ("\u0661\u0662\u0660", None),
        ("Sat, 31 Feb 2026 12:00:00 GMT", None),
        ("Sat, 31 Jan 2026 25:00:00 GMT", None),
        ("2026-01-31T12:01:30Z", None),
    ],
)
@pytest.mark.fact("limit-no-429")
def test_retry_after_in_all_its_forms(text: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": text}, NOW) == seconds


def test_a_date_to_retry_after_is_measured_by_the_servers_own_clock() -> None:
    headers = {"Retry-After": "Sat, 31 Jan 2026 13:00:30 GMT", "Date": "Sat, 31 Jan 2026 13:00:00 GMT"}
    assert retry_after(headers, NOW) == 30
    assert retry_after({}, NOW) is None


@given(st.text(max_size=60))
def test_no_header_makes_an_endless_or_negative_wait(text: str) -> None:
    seconds = retry_after({"Retry-After": text}, NOW)
    assert seconds is None or 0 <= seconds <= 7 * 86_400
