"""Splits a JSON list tolerantly: a broken record does not affect the others."""

import re

from etl.errors import NotWhole

_TOKEN = re.compile(rb'[ \t\r\n]*("(?:[^"\\]|\\.)*"|[\[\]{},:]|[^ \t\r\n"\[\]{},:]+)', re.DOTALL)
_OPENING = {b"[": b"]", b"{": b"}"}
_BLANK = b" \t\r\n"


def members(text: bytes) -> list[bytes]:
    """Return the texts between the commas of one list or object, valid or not; raise NotWhole."""
    text = text.strip(_BLANK)
    if text[:1] not in _OPENING:
        raise NotWhole(0)
    texts: list[bytes] = []
    closing: list[bytes] = []
    at, begin = 0, 1
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None or (at and not closing):
            raise NotWhole(at)
        at, word = token.end(), token[1]
        if word in _OPENING:
            closing.append(_OPENING[word])
        elif word in (b"]", b"}") and word != closing.pop():
            raise NotWhole(at)
        if (word == b"," and len(closing) == 1) or not closing:
            texts.append(text[begin : at - 1].strip(_BLANK))
            begin = at
    if closing:
        raise NotWhole(len(text))
    return _without_gap(texts, len(text))


def _without_gap(texts: list[bytes], length: int) -> list[bytes]:
    """Return the members, or an empty list; raise NotWhole if nothing is between two commas."""
    if texts == [b""]:
        return []
    if b"" in texts:
        raise NotWhole(length)
    return texts


def fields(text: bytes) -> dict[str, bytes]:
    """Return the values of an object as texts, by key; raise NotWhole."""
    if text.strip(_BLANK)[:1] != b"{":
        raise NotWhole(0)
    pairs: dict[str, bytes] = {}
    for member in members(text):
        key = _TOKEN.match(member)
        colon = _TOKEN.match(member, key.end()) if key else None
        if key is None or colon is None or colon[1] != b":" or key[1][:1] != b'"':
            raise NotWhole(0)
        pairs[key[1][1:-1].decode("utf-8", "replace")] = member[colon.end() :].strip(_BLANK)
    return pairs
