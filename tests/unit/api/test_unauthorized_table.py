"""The table of a 401: what is seen, and what follows."""

from dataclasses import replace

import pytest

from etl.api.auth.unauthorized import (
    AuthAction,
    UnauthorizedFacts,
    is_call_limit,
    is_invalid_token,
    next_step,
    vendor_sentence,
)

NEW = UnauthorizedFacts()
OLD = UnauthorizedFacts(was_ever_accepted=True, was_accepted_recently=True)
FIXED = replace(OLD, can_renew=False)


@pytest.mark.parametrize(
    ("facts", "step"),
    [
        (replace(NEW, expired=True), AuthAction.RENEW),
        (replace(OLD, expired=True), AuthAction.RENEW),
        (replace(OLD, expired=True, renewed=True), AuthAction.HOLD),
        (replace(NEW, expired=True, is_new=True), AuthAction.HOLD),
        (replace(FIXED, expired=True), AuthAction.REFUSED),
        (replace(OLD, works_elsewhere=True), AuthAction.WAIT_ALONE),
        (replace(OLD, works_elsewhere=True, waits=1), AuthAction.WAIT_ALONE),
        (replace(OLD, works_elsewhere=True, waits=1, is_limit_unlikely=True), AuthAction.CLOSED),
        (replace(OLD, works_elsewhere=True, waits=3), AuthAction.CLOSED),
        (replace(FIXED, works_elsewhere=True, waits=3), AuthAction.CLOSED),
        (replace(OLD, works_elsewhere=True, waits=3, answered_before=True), AuthAction.HOLD),
        (replace(OLD, works_elsewhere=True, answered_before=True), AuthAction.HOLD),
        (replace(OLD, works_elsewhere=True, answered_before=True, holds=1), AuthAction.HOLD),
        (replace(OLD, works_elsewhere=True, answered_before=True, holds=2), AuthAction.HOLD),
        (replace(OLD, works_elsewhere=True, answered_before=True, holds=15), AuthAction.CLOSED),
        (NEW, AuthAction.HOLD),
        (replace(NEW, holds=1), AuthAction.HOLD),
        (replace(NEW, holds=1, vain_holds=1), AuthAction.HOLD),
        (replace(NEW, holds=1, vain_holds=2), AuthAction.REFUSED),
        (replace(NEW, holds=0, vain_holds=2), AuthAction.REFUSED),
        (replace(NEW, holds=1, vain_holds=2, works_elsewhere=True), AuthAction.WAIT_ALONE),
        (OLD, AuthAction.HOLD),
        (replace(OLD, vain_holds=1), AuthAction.RENEW),
        (replace(OLD, vain_holds=1, worked_since=True), AuthAction.HOLD),
        # The newer token was accepted and then refused: it died too.
        (replace(OLD, vain_holds=1, renewed=True), AuthAction.RENEW),
        (replace(OLD, vain_holds=9, is_new=True), AuthAction.HOLD),
        (replace(OLD, was_accepted_recently=False, vain_holds=1), AuthAction.RENEW),
        (replace(OLD, was_accepted_recently=False, holds=1, vain_holds=2, is_new=True), AuthAction.REFUSED),
        (FIXED, AuthAction.HOLD),
        (replace(FIXED, vain_holds=1), AuthAction.REFUSED),
        (replace(FIXED, vain_holds=1, worked_since=True), AuthAction.HOLD),
    ],
)
@pytest.mark.fact("401-expired")
def test_what_follows_from_what_is_known(facts: UnauthorizedFacts, step: AuthAction) -> None:
    assert next_step(facts) is step


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("headers", "body", "is_limit"),
    [
        ({}, b"Maximum admitted 60 requests per Minute", True),
        (JSON, b'{"Message":"Maximum admitted 60 requests per Minute."}', True),
        (JSON, b'"maximum allowed: 60 requests per minute"', True),
        ({"Content-Type": "text/html"}, b"<html><body>Maximum <b>admitted</b> 60 requests per Minute</body>", True),
        ({"QQ-Error-Message": "Maximum admitted 60 requests per Minute"}, b"", True),
        (JSON, b'{"Message":"Authorization has been denied for this request."}', False),
        ({}, b"", False),
        ({}, b"\xff\xfe\x00", False),
        (JSON, b'{"Message":{"a":1}}', False),
        (JSON, b"[" * 30_000, False),
    ],
)
@pytest.mark.fact("limit-60", "error-header")
def test_a_body_that_names_a_maximum_of_requests_is_the_call_limit(
    headers: dict[str, str], body: bytes, is_limit: bool
) -> None:
    assert is_call_limit(headers, body) is is_limit


@pytest.mark.parametrize(
    ("headers", "body", "sentence"),
    [
        ({"QQ-Error-Message": "From the\r\n header"}, b'{"Message":"body"}', "From the header"),
        (JSON, b'{"error":"x","error_description":"Locked out"}', "Locked out"),
        (JSON, b'{"ErrorMessage":"Why"}', "Why"),
        ({"Content-Type": "text/html"}, b"<html><title>401</title><p>No  entry</p></html>", "No entry"),
        ({}, b"plain", "plain"),
        ({}, b"", ""),
        ({}, b"word " * 2_000, "word " * 60),
        ({}, b"x" * 10_000, "***"),
    ],
)
@pytest.mark.fact("error-header")
def test_the_vendors_sentence(headers: dict[str, str], body: bytes, sentence: str) -> None:
    assert vendor_sentence(headers, body) == sentence


def test_what_the_vendor_quotes_is_masked() -> None:
    body = (
        b'{"Message": "No access for Zeb Quackenbushel, born 1951-03-17, licence Q1234, zeb@example.com. Ask support."}'
    )
    masked = "No access for *** *** born *** licence *** *** Ask support."
    assert vendor_sentence({}, body) == masked


def test_invalid_token_is_read_in_the_header_and_in_the_body() -> None:
    assert is_invalid_token({"WWW-Authenticate": 'Bearer error="invalid_token"'}, b"")
    assert is_invalid_token({}, b'{"error":"invalid_token"}')
    assert not is_invalid_token({"WWW-Authenticate": "Bearer"}, b'{"Message":"denied"}')
