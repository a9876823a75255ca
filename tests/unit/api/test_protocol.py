"""The protocol: what is asked, and what the five envelopes hold."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from etl.api.protocol import Call, Page, make_records, page_call, parent_call, read_page, whole_call
from etl.catalogue.facts import ALL_VENDOR
from etl.catalogue.resource import Endpoint, Envelope, Paging, Resource
from etl.errors import ApiUnavailable, CallFailed, UnexpectedResponse
from etl.resources import find_resource

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
JSON = {"Content-Type": "application/json"}


def call(envelope: Envelope = Envelope.PAGE, parent_id: str | None = None, *, proven: bool = True) -> Call:
    return Call("GET", "Things", (), None, "things", envelope, proven, page=1, parent_id=parent_id)


def contents(page: Page) -> list[object]:
    return [json.loads(item) for item in page.items]


@pytest.mark.fact("paging-names")
def test_a_page_of_a_feed_names_days_page_and_size() -> None:
    contacts = find_resource("contacts")
    page_request = page_call(contacts, contacts.endpoints[0], date(2026, 1, 1), date(2026, 2, 1), 3, 500)
    assert (
        page_request.target
        == "Contacts/LastModifiedCreated?startDate=2026-01-01&endDate=2026-02-01&pageNumber=3&pageSize=500"
    )


@pytest.mark.fact("enterprise-filter")
def test_a_feed_whose_last_day_is_included_is_asked_for_the_day_before_the_midnight() -> None:
    drivers = find_resource("drivers")
    page_request = page_call(drivers, drivers.endpoints[0], date(2026, 1, 1), date(2026, 2, 1), 1, 500)
    assert dict(page_request.query)["modifiedEndDate"] == "2026-01-31"


@pytest.mark.parametrize(("name", "largest"), [("contacts", 500), ("drivers", 1000)])
@pytest.mark.fact("page-size-500")
def test_no_page_is_larger_than_the_call_grants(name: str, largest: int) -> None:
    resource = find_resource(name)
    page_request = page_call(resource, resource.endpoints[0], date(2026, 1, 1), date(2026, 2, 1), 1, 5000)
    assert dict(page_request.query)["pageSize"] == str(largest)


def test_a_search_carries_its_page_in_the_body() -> None:
    rules = find_resource("commission_rules")
    page_request = page_call(rules, rules.endpoints[1], None, None, 2, 100)
    assert (page_request.method, page_request.endpoint, page_request.query) == ("POST", 1, ())
    assert json.loads(page_request.body or b"") == {"PageNo": 2, "PageSize": 100}


def test_a_parents_id_is_in_path_or_query_and_cannot_leave_it() -> None:
    quotes, documents = find_resource("quotes"), find_resource("documents")
    assert parent_call(quotes, quotes.endpoints[0], "a/../b?c").path == "Policies/a%2F..%2Fb%3Fc/Quotes"
    assert parent_call(documents, documents.endpoints[0], "1&x=2").target == "Documents/Images?entityId=1%26x%3D2"


def test_a_paged_call_for_one_parent_asks_for_all_that_a_page_grants() -> None:
    endpoint = Endpoint("Contacts/{parent}/Addresses", Envelope.PAGE, Paging(largest=100))
    resource = Resource("addresses", find_resource("contacts").model, "AddressID", (endpoint,), facts=ALL_VENDOR)
    assert parent_call(resource, endpoint, "7").target == "Contacts/7/Addresses?pageNumber=1&pageSize=100"


def test_a_whole_list_is_asked_for_without_parameters() -> None:
    carriers = find_resource("carrier_list")
    page_request = whole_call(carriers, carriers.endpoints[0])
    assert (page_request.target, page_request.documented, str(page_request)) == ("Carriers", False, "carrier_list")


@pytest.mark.parametrize(
    ("envelope", "body", "items", "total", "pages"),
    [
        (
            Envelope.PAGE,
            b'{"Data":[{"a":1},{"b":2}],"TotalItems":7,"PagesTotal":4,"IsSuccess":true}',
            [{"a": 1}, {"b": 2}],
            7,
            4,
        ),
        (Envelope.PAGE, b'{"Data":[],"TotalItems":0,"PagesTotal":0,"ErrorCode":null}', [], 0, 0),
        (Envelope.PAGE, b'{"data":[{"a":1}],"TOTALITEMS":1,"issuccess":true}', [{"a": 1}], 1, None),
        (Envelope.PAGE, b'{"Data":[{"a":1}],"TotalItems":-1,"PagesTotal":"many"}', [{"a": 1}], None, None),
        (Envelope.PAGE, b'{"Data":[{"a":1}],"TotalItems":1.0,"ErrorCode":0}', [{"a": 1}], 1, None),
        (
            Envelope.PAGE,
            b'{"Data":[{"a":1}],"TotalItems":true,"PagesTotal":[1],"ErrorCode":"0"}',
            [{"a": 1}],
            None,
            None,
        ),
        (Envelope.PAGE, b'{"Data":[{"a":1}],"TotalItems":1e99,"ErrorCode":""}', [{"a": 1}], None, None),
        (Envelope.ENTERPRISE, b'{"Data":[{"a":1}],"TotalItems":1,"TotalPages":3}', [{"a": 1}], 1, 3),
        (Envelope.ENTERPRISE, b'{"Data":[{"a":1}],"totalitems":1,"totalPages":3}', [{"a": 1}], 1, 3),
        (Envelope.PAGE, b'{"Data":[{"a":1}],"totalItems":7,"pagesTotal":4,"IsSuccess":true}', [{"a": 1}], 7, 4),
        (Envelope.PAGE, b'{"DATA":[{"a":1}],"totalitems":9,"TotalItems":7}', [{"a": 1}], 7, None),
        (Envelope.ACTION, b'{"result":{"a":1},"ISSUCCESS":true}', [{"a": 1}], None, None),
        (Envelope.ACTION, b'{"Result":{"a":1},"IsSuccess":true,"ErrorCode":null}', [{"a": 1}], None, None),
        (
            Envelope.ARRAY,
            b'\xef\xbb\xbf [ {"a": [1, "]"]} , {"b":"\\""} ]\r\n',
            [{"a": [1, "]"]}, {"b": '"'}],
            None,
            None,
        ),
        (Envelope.OBJECT, b' {"a":1}\n', [{"a": 1}], None, None),
    ],
)
@pytest.mark.fact("envelopes")
def test_each_envelope_gives_its_records(
    envelope: Envelope, body: bytes, items: list[object], total: int | None, pages: int | None
) -> None:
    page = read_page(call(envelope), 200, JSON, body)
    assert (contents(page), page.total, page.pages, page.whole) == (items, total, pages, True)


@pytest.mark.parametrize(
    ("envelope", "body"),
    [
        (Envelope.PAGE, b'{"Data":[{"a":1}],"IsSuccess":false,"ErrorCode":"E42"}'),
        (Envelope.PAGE, b'{"IsSuccess":false,"ErrorMessage":"Dana Rivera not found"}'),
        (Envelope.PAGE, b'{"Data":[],"IsSuccess":true,"ErrorCode":5}'),
        (Envelope.ACTION, b'{"Result":null,"IsSuccess":false}'),
        (Envelope.OBJECT, b'{"IsSuccess":false,"ErrorMessage":"Dana Rivera not found"}'),
        (Envelope.OBJECT, b'{"issuccess": false}'),
        (Envelope.ARRAY, b' {"IsSuccess":false,"ErrorCode":null}'),
        (Envelope.ACTION, b'{"result":{},"errorcode":"X"}'),
    ],
)
@pytest.mark.fact("is-success")
def test_an_envelope_that_says_the_call_failed_is_believed(envelope: Envelope, body: bytes) -> None:
    with pytest.raises(ApiUnavailable) as error:
        read_page(call(envelope), 200, JSON, body)
    assert "Dana" not in str(error.value)


@pytest.mark.parametrize(
    ("envelope", "body"),
    [
        (Envelope.PAGE, b'[{"a":1}]'),
        (Envelope.PAGE, b'{"Items":[{"a":1}]}'),
        (Envelope.PAGE, b'{"Data":{"a":1}}'),
        (Envelope.PAGE, b'"text"'),
        (Envelope.ARRAY, b'{"Data":[]}'),
        (Envelope.ARRAY, b"7"),
        (Envelope.OBJECT, b'[{"a":1}]'),
        (Envelope.OBJECT, b"12"),
        (Envelope.ACTION, b'{"Data":[]}'),
        (Envelope.ACTION, b"[]"),
    ],
)
def test_another_shape_than_declared_is_named(envelope: Envelope, body: bytes) -> None:
    with pytest.raises(UnexpectedResponse, match="things"):
        read_page(call(envelope), 200, JSON, body)


@pytest.mark.parametrize("envelope", list(Envelope))
@pytest.mark.parametrize("cut", [0, 1, 9, 25, -1])
def test_a_cut_body_is_unavailable_and_its_words_hold_nothing_of_it(envelope: Envelope, cut: int) -> None:
    bodies = {
        Envelope.ARRAY: b'[{"Name":"Dana Rivera"},{"Name":"Kim"}]',
        Envelope.OBJECT: b'{"Name":"Dana Rivera","More":{"Name":"Kim"}}',
        Envelope.ACTION: b'{"Result":{"Name":"Dana Rivera"},"IsSuccess":true}',
    }
    body = bodies.get(envelope, b'{"Data":[{"Name":"Dana Rivera"},{"Name":"Kim"}],"TotalItems":2}')
    with pytest.raises(ApiUnavailable) as error:
        read_page(call(envelope), 200, JSON, body[:cut])
    assert "Dana" not in str(error.value)
    assert "empty" in str(error.value) or "at byte" in str(error.value)


#: Answers that hold neither a list nor an object, by envelope.
NOTHING = [
    *((envelope, body) for envelope in Envelope for body in (b"", b" \r\n", b"null", b' "" ', b"{}", b"{ }\n")),
    (Envelope.PAGE, b'{"Data":null,"IsSuccess":true}'), (Envelope.PAGE, b'{"PageNumber":1,"IsSuccess":true}'),
    (Envelope.PAGE, b'{"Data":null,"TotalItems":"12"}'), (Envelope.PAGE, b'{"Data":[],"TotalItems":12}'),
    (Envelope.PAGE, b'{"data":null}'), (Envelope.ENTERPRISE, b'{"Data":null,"TotalPages":0}'),
    (Envelope.ACTION, b'{"Result":null,"IsSuccess":true}'), (Envelope.ACTION, b'{"Result":{},"IsSuccess":true}'),
    (Envelope.ACTION, b'{"IsSuccess":true}'),
]  # fmt: skip


@pytest.mark.parametrize(("envelope", "body"), NOTHING)
def test_an_answer_without_a_list_or_an_object_says_nothing_about_its_parent(envelope: Envelope, body: bytes) -> None:
    page = read_page(call(envelope, "7"), 200, JSON, body)
    assert (page.items, page.says_nothing) == ([], True)


@pytest.mark.parametrize(("envelope", "body"), [
    (Envelope.ARRAY, b"[]"), (Envelope.ARRAY, b" [ ] "), (Envelope.PAGE, b'{"Data":[],"TotalItems":0}'),
    (Envelope.PAGE, b'{"Data":[]}'),
])  # fmt: skip
def test_an_empty_list_says_that_there_is_nothing(envelope: Envelope, body: bytes) -> None:
    page = read_page(call(envelope, "7"), 200, JSON, body)
    assert (page.items, page.says_nothing) == ([], False)


def test_no_content_says_nothing_about_a_parent_and_fails_a_list() -> None:
    assert read_page(call(Envelope.ARRAY, "7"), 204, {}, b"").says_nothing
    with pytest.raises(CallFailed):
        read_page(call(), 204, {}, b"")


@pytest.mark.parametrize(("envelope", "body"), [
    (envelope, body) for envelope, body in NOTHING if b"Items" not in body and b"IsSuccess" not in body
])  # fmt: skip
def test_a_list_without_a_parent_fails_if_it_says_nothing(envelope: Envelope, body: bytes) -> None:
    with pytest.raises(CallFailed):
        read_page(call(envelope), 200, JSON, body)


def test_a_total_of_zero_is_an_empty_page_that_proves_nothing() -> None:
    page = read_page(call(), 200, JSON, b'{"Data":null,"TotalItems":0}')
    assert (page.items, page.total, page.says_nothing) == ([], 0, True)


def test_after_its_last_page_a_list_may_end_without_a_list() -> None:
    after_the_end = replace(call(), page=3)
    page = read_page(after_the_end, 200, JSON, b'{"Data":null,"TotalItems":12}')
    assert (page.items, page.total) == ([], 12)


@pytest.mark.parametrize(
    ("encoding", "charset"),
    [("utf-16", ""), ("utf-32", ""), ("utf-8-sig", ""), ("latin-1", "iso-8859-1"), ("cp1252", "windows-1252")],
)
def test_other_encodings_that_name_themselves_are_read(encoding: str, charset: str) -> None:
    headers = {"Content-Type": f"application/json; charset={charset}" if charset else "application/json"}
    page = read_page(call(Envelope.ARRAY), 200, headers, '[{"Name":"Núñez"}]'.encode(encoding))
    assert contents(page) == [{"Name": "Núñez"}]


@pytest.mark.parametrize("charset", ["", "utf-8", "no-such-encoding"])
def test_bytes_that_are_no_utf8_cost_only_their_record(charset: str) -> None:
    body = b'{"Data":[{"EntityID":1,"DisplayName":"N\xfa\xf1ez"},{"EntityID":2}],"TotalItems":2}'
    contacts = find_resource("contacts")
    page = read_page(call(), 200, {"Content-Type": f"application/json; charset={charset}"}, body)
    page_records = make_records(contacts, contacts.endpoints[0], page, requested_at=NOW)
    assert [record.source_id for record in page_records.records] == ["2"]
    assert [(bad.position, bad.reason) for bad in page_records.bad] == [(0, "holds bytes that are not UTF-8")]


@pytest.mark.parametrize("body", ["[1]".encode("utf-16")[:-1], b"\xff\xfe\x00\xd8[]", b"\x00[\x00]"])
def test_an_encoding_that_does_not_hold_is_refused(body: bytes) -> None:
    with pytest.raises(ApiUnavailable):
        read_page(call(Envelope.ARRAY), 200, JSON, body)


@pytest.mark.parametrize(
    "broken",
    [
        b'{"EntityID":NaN}',
        b'{"EntityID":1,"x":Infinity}',
        b'{"EntityID":1,"x":01}',
        b'{"EntityID":1,}',
        b'{"EntityID" 1}',
        b'{"EntityID":1,"x":"\\q"}',
        b'{"EntityID":1,"x":"\x01"}',
        b'{"EntityID":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"EntityID":1,"x":1e200000}',
        b'{"EntityID":1,"x":tru}',
        b"nothing",
    ],
)
@pytest.mark.parametrize("envelope", [Envelope.PAGE, Envelope.ARRAY])
def test_a_broken_record_costs_none_of_its_neighbors(broken: bytes, envelope: Envelope) -> None:
    items = b'[{"EntityID":1,"DisplayName":"a, \\" ]"},' + broken + b',{"EntityID":3}]'
    contacts = find_resource("contacts")
    body = b'{"TotalItems":3,"Data":' + items + b"}" if envelope is Envelope.PAGE else items
    page = read_page(call(envelope), 200, JSON, body)
    page_records = make_records(contacts, contacts.endpoints[0], page, requested_at=NOW)
    assert [record.source_id for record in page_records.records] == ["1", "3"]
    assert [bad.position for bad in page_records.bad] == [1]
    assert page.total == (3 if envelope is Envelope.PAGE else None)
