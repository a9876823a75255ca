"""The five envelopes: from the body of an answer to the texts of its records and their stated number."""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE, lookup
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from email.message import Message
from http import HTTPStatus
from typing import Any, cast

import msgspec

from etl.api.protocol.calls import Call
from etl.api.protocol.jsonb import with_safe_escapes
from etl.api.protocol.splitting import fields, members
from etl.catalogue.resource import Envelope
from etl.errors import ApiUnavailable, CallFailed, NotWhole, UnexpectedResponse
from etl.spelling import find_key, read_field

_BOMS = (
    (BOM_UTF8, "utf-8"),
    (BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is a prefix of it
    (BOM_UTF32_BE, "utf-32"),
    (BOM_UTF16_LE, "utf-16"),
    (BOM_UTF16_BE, "utf-16"),
)
#: An error code of the vendor; any other value may contain personal data or a secret.
_ERROR_CODE = re.compile(r"[0-9]{1,6}", re.ASCII)
_MOST = 2**53  # a larger number of records is ignored


@dataclass(frozen=True, slots=True)
class Page:
    """The records of one answer."""

    items: list[bytes]  #: the JSON text of each, as sent
    total: int | None = None  #: in all pages, as stated by the envelope
    pages: int | None = None
    whole: bool = True  #: False: some item is not valid JSON; each must be checked
    replaced_escapes: int = 0  #: replaced escapes that the database refuses
    says_nothing: bool = False  #: no list and no object where one is declared; an empty list says that there is none


#: What an answer without a list or an object looks like: nothing at all, or an empty JSON value other than `[]`.
_EMPTY_TEXTS = frozenset({b"", b"null", b'""', b"{}"})
_LONGEST_EMPTY = 1_000  # with white space


class _Paged(msgspec.Struct):
    """The envelopes of the feeds, old and new."""

    Data: list[msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET
    TotalItems: msgspec.Raw = msgspec.Raw()
    PagesTotal: msgspec.Raw = msgspec.Raw()
    TotalPages: msgspec.Raw = msgspec.Raw()
    IsSuccess: msgspec.Raw = msgspec.Raw()
    ErrorCode: msgspec.Raw = msgspec.Raw()


#: The keys that an envelope should have in addition to its list. An absent one may have another case.
_KEYS = {
    Envelope.PAGE: ("TotalItems", "PagesTotal", "IsSuccess", "ErrorCode"),
    Envelope.ENTERPRISE: ("TotalItems", "TotalPages"),
}

_paged = msgspec.json.Decoder(_Paged)
_list = msgspec.json.Decoder(list[msgspec.Raw])
_list_or_null = msgspec.json.Decoder(list[msgspec.Raw] | None)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_raw = msgspec.json.Decoder(msgspec.Raw)
_any = msgspec.json.Decoder()


def read_page(call: Call, status: int, headers: Mapping[str, str], body: bytes) -> Page:
    """Return the records of an answer that `check_answer` accepted.

    Raises UnexpectedResponse if the envelope is not as declared, ApiUnavailable if the body is cut, is not JSON, or
    says that the call failed, CallFailed if a list that belongs to no parent says nothing.
    """
    text, replaced = with_safe_escapes(_utf8(call, headers, body))
    if status == HTTPStatus.NO_CONTENT or _is_empty(text):
        return _nothing(call)
    try:
        page = _SHAPES[call.envelope](call, text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        if isinstance(error, msgspec.ValidationError) and _is_json(text):
            _succeeded(call, _says_success(text))
            raise _other_shape(call, f"is not the declared {call.envelope}") from None
        page = _with_broken_items(call, text, error)
    return page if not replaced else replace(page, replaced_escapes=replaced)


def _is_json(text: bytes) -> bool:
    """Return whether a text is complete JSON."""
    try:
        _raw.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _other_shape(call: Call, problem: str) -> UnexpectedResponse:
    """Return the error for an answer with an undeclared shape."""
    return UnexpectedResponse(
        f"{call}: the answer {problem}. The API may have changed: look for a newer version of this program."
    )


def _is_empty(text: bytes) -> bool:
    """Return whether a body is an empty JSON value other than a list."""
    return len(text) <= _LONGEST_EMPTY and text.translate(None, b" \t\r\n") in _EMPTY_TEXTS


def _nothing(call: Call, total: int | None = None, pages: int | None = None) -> Page:
    """Return the page of an answer that says nothing about its parent.

    For a list that belongs to no parent it is a failure of the call, unless the envelope says that there are no
    records in all, or the list ended with the page before.
    """
    is_after_end = call.page is not None and call.page > 1 and total is not None
    if call.parent_id is None and total != 0 and not is_after_end:
        raise CallFailed(f"{call}: QQCatalyst answered without a list. An empty list would be `[]`.")
    return Page([], total, pages, says_nothing=True)


def _utf8(call: Call, headers: Mapping[str, str], body: bytes) -> bytes:
    """Return the body in UTF-8 without a byte order mark; unchanged if only single records are not UTF-8."""
    for bom, encoding in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :] if encoding == "utf-8" else _decoded(call, body, encoding)
    if body.isascii():
        return body
    try:
        body.decode()
    except UnicodeDecodeError:
        charset = _charset(headers)
        return body if charset is None else _decoded(call, body, charset)
    return body


def _charset(headers: Mapping[str, str]) -> str | None:
    """Return the encoding that the answer states, None if it is unknown or UTF-8."""
    message = Message()
    message["Content-Type"] = headers.get("Content-Type", "")
    try:
        name = lookup(message.get_content_charset() or "utf-8").name
    except LookupError:
        return None
    return None if name == "utf-8" else name


def _decoded(call: Call, body: bytes, encoding: str) -> bytes:
    """Return the body converted to UTF-8."""
    try:
        return body.decode(encoding).encode()
    except (UnicodeError, LookupError):
        raise ApiUnavailable(f"{call}: the answer is not the {encoding} text that it claims to be.") from None


def _page(call: Call, text: bytes) -> Page:
    """Read the envelope of a feed."""
    envelope = _paged.decode(text)
    if envelope.Data is msgspec.UNSET or not all(bytes(getattr(envelope, name)) for name in _KEYS[call.envelope]):
        envelope = _in_any_case(call, text)
    _succeeded(call, _number_or_text(envelope.IsSuccess), _number_or_text(envelope.ErrorCode))
    items = cast("list[msgspec.Raw] | None", envelope.Data)
    total, pages = _count(envelope.TotalItems), _count(envelope.PagesTotal)
    pages = _count(envelope.TotalPages) if pages is None else pages
    if items is None or (not items and call.parent_id is not None and total):
        return _nothing(call, total, pages)
    return Page([bytes(item) for item in items], total, pages)


def _in_any_case(call: Call, text: bytes) -> _Paged:
    """Read the envelope of a feed whose keys differ in case from the declared ones."""
    fields = _object.decode(text)
    keys = {name: key for name in _Paged.__struct_fields__ if (key := find_key(fields, name)) is not None}
    values = {name: fields[key] for name, key in keys.items()}
    failed = _number_or_text(values.get("IsSuccess", msgspec.Raw())) is False
    if "Data" not in values and not failed and call.parent_id is None:
        raise _other_shape(call, "has no list `Data`")
    items = _list_or_null.decode(values.pop("Data", b"null"))
    return _Paged(Data=items, **cast("dict[str, Any]", values))


def _action(call: Call, text: bytes) -> Page:
    """Read the envelope of an action result."""
    values = _object.decode(text)
    _succeeded(call, read_field(values, "IsSuccess"), read_field(values, "ErrorCode"))
    key = find_key(values, "Result")
    if key is None and call.parent_id is None:
        raise _other_shape(call, "has no `Result`")
    result = b"" if key is None else bytes(values[key])
    if result[:1] == b"[":
        return Page([bytes(item) for item in _list.decode(result)])
    return _nothing(call) if _is_empty(result) else Page([result])


def _array(call: Call, text: bytes) -> Page:  # noqa: ARG001 (the readers of all shapes have the same parameters)
    """Read a bare list."""
    return Page([bytes(item) for item in _list.decode(text)])


def _bare(call: Call, text: bytes) -> Page:
    """Read a bare object."""
    item = bytes(_raw.decode(text))
    if item[:1] != b"{":
        raise _other_shape(call, f"is not a {call.envelope}")
    _succeeded(call, _says_success(item))
    return Page([item])


_SHAPES = {
    Envelope.PAGE: _page,
    Envelope.ENTERPRISE: _page,
    Envelope.ACTION: _action,
    Envelope.ARRAY: _array,
    Envelope.OBJECT: _bare,
}


def _says_success(text: bytes) -> object:
    """Return what an object without an envelope says of its call, as an envelope does; None if it says nothing."""
    with suppress(msgspec.DecodeError, RecursionError, UnicodeDecodeError):  # a broken record is found later
        return read_field(_object.decode(text), "IsSuccess")
    return None


def _succeeded(call: Call, success: object, code: object = None) -> None:
    """Raise CallFailed if the envelope says that the call failed, although the status says success."""
    if success is False or code not in (None, "", 0, "0"):
        detail = f", code {code}" if _ERROR_CODE.fullmatch(str(code)) else ""
        raise CallFailed(f"{call}: QQCatalyst says that the call failed{detail}.")


def _number_or_text(raw: msgspec.Raw) -> object:
    """Return a value of the envelope, None if it is absent."""
    return _any.decode(raw) if bytes(raw) else None


def _count(raw: msgspec.Raw) -> int | None:
    """Return a number of records or pages, None if the envelope has no valid one."""
    value = _number_or_text(raw)
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < len(str(_MOST)):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MOST or value != int(value):
        return None
    return int(value)


def _with_broken_items(call: Call, text: bytes, error: Exception) -> Page:
    """Split a body whose envelope is complete although an item is not JSON."""
    try:
        return _taken_apart(call, text)
    except NotWhole as broken:
        offset = broken.offset
        problem = "is empty" if not text.strip() else f"is cut or not JSON, at byte {offset} of {len(text)}"
        raise ApiUnavailable(f"{call}: the answer {problem}.") from None
    except msgspec.DecodeError:
        raise ApiUnavailable(f"{call}: the answer is not JSON ({type(error).__name__}).") from None


def _taken_apart(call: Call, text: bytes) -> Page:
    """Return the page with each item unchanged, to be checked one by one."""
    if call.envelope is Envelope.ARRAY:
        if text.lstrip()[:1] == b"{":
            raise _other_shape(call, f"is not a {call.envelope}")
        return Page(members(text), whole=False)
    if call.envelope is Envelope.OBJECT:
        fields(text)
        return Page([text.strip()], whole=False)
    values = fields(text)
    key = find_key(values, "Result" if call.envelope is Envelope.ACTION else "Data")
    envelope = {name: msgspec.Raw(value) for name, value in values.items() if name != key}
    _succeeded(call, read_field(envelope, "IsSuccess"), read_field(envelope, "ErrorCode"))
    total = _count(envelope.get(find_key(envelope, "TotalItems") or "", msgspec.Raw()))
    value = b"null" if key is None else values[key]
    is_object = call.envelope is Envelope.ACTION and value.lstrip()[:1] != b"["
    return Page([value] if is_object else members(value), total, whole=False)
