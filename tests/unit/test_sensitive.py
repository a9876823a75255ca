"""Names and texts that hold secrets: what is recognized, and what is left as it is."""

import json
import os
import time
from pathlib import Path

import pytest

from etl.sensitive import MASK, SSN, is_never_logged, is_never_staged, mask_secrets


@pytest.mark.parametrize(
    "name",
    ["SSN", "ssn", "DriverSSN", "SSNText", "Spouse_SSN", "Ssn2", "SSNo", "SS No", "SSNumber", "SocSecNo", "SocSec",
     "SocialSecurityNo", "Social_Security_No", "social-security-number", "SocialSecNum", "Applicant Social Sec. No.",
     "TaxID", "tax_id", "TaxIdNumber", "TaxpayerID", "Taxpayer Identification Number", "TaxNo", "FederalTaxID",
     "Password", "LoginPassword", "UserPassword", "portal_password", "PasswordHash", "Password2", "Pwd", "UserPwd",
     "PassCode", "Passphrase", "LoginPass", "CVV", "CVV2", "CVC", "CardCVC", "CardVerificationValue",
     "CardSecurityCode", "What is your SSN?", "SS#", "SS #", "DriverSS#"],
)  # fmt: skip
def test_a_secret_is_recognized_by_the_meaning_of_its_name(name: str) -> None:
    assert is_never_staged(name)
    assert is_never_logged(name)


@pytest.mark.parametrize(
    "name",
    ["EIN", "FEIN", "BusinessFEIN", "RoutingNumber", "RoutingNo", "ABA_No", "AccountNumber", "AcctNo", "account_no",
     "BankAccountNumber", "CardNumber", "CreditCard", "IBAN", "DriversLicense", "DriverLicenseNo", "LicenseNumber",
     "LicenceNo", "DLNumber", "DOB", "BirthDate", "DateOfBirth", "TIN", "ITIN", "Cookie", "Set-Cookie",
     "access_token", "client_secret", "Authorization", "api-key", "Proxy-Authorization"],
)  # fmt: skip
def test_a_personal_number_is_staged_and_not_logged(name: str) -> None:
    assert is_never_logged(name)
    assert not is_never_staged(name)


@pytest.mark.parametrize(
    "name",
    ["BusinessName", "BusinessNumber", "BusinessNo", "UserId", "UserID", "Lesson",
     "Taxes", "TaxAmount", "TaxNotes", "Passenger", "PolicyNumber", "CustomerNo", "EntityID", "SessionNo", "page",
     "accounts", "Latin", "Cardinal", "Address", "ClassNumber", "LossNo", "Loss #", "LOSS#", "WitnessNumber",
     "License", "Bean"],
)  # fmt: skip
def test_other_names_are_kept(name: str) -> None:
    assert not is_never_staged(name)
    assert not is_never_logged(name)


@pytest.mark.parametrize("name", ["PasswordProtected", "PasswordExpiresOn", "TokenCount"])
def test_a_log_hides_more_than_staging_does(name: str) -> None:
    assert is_never_logged(name)
    assert not is_never_staged(name)


@pytest.mark.parametrize(
    "number",
    [
        "457-55-5462",
        "457 55 5462",
        "457.55.5462",
        "457555462",
        "457 555 462",
        "4 5 7 5 5 5 4 6 2",
        "457\u201155\u20115462",
    ],
)
@pytest.mark.parametrize(
    "text",
    ["SSN {}", "SSN-{}", "ssn: {}.", "his SSN is {}", "SSN#{}", "S.S.N. {}", "Social Security No. {}", "soc sec {}",
     "social-security number = {} (confirmed)", "SS# {}", "tax id {}", "Taxpayer ID: {}", "TIN {}",
     '{{"SSN": "{}"}}', '{{\\"ssn\\": \\"{}\\"}}', "SSN on file: {}, call back", "SSN\t{}"],
)  # fmt: skip
def test_nine_digits_after_such_words_are_masked(text: str, number: str) -> None:
    assert mask_secrets(text.format(number)) == text.format(MASK)


@pytest.mark.parametrize(
    "text",
    ["called 305-555-0142", "policy 123456789", "SSN on file", "SSN ends in 5462", "business number 123456789",
     "lesson 457555462", "tax 2024: 123456789 USD", "ssn\n457555462", "4575554620 SSN", "no password needed",
     "password protected PDF", "The user name or password is incorrect."],
)  # fmt: skip
def test_other_texts_are_kept(text: str) -> None:
    assert mask_secrets(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "portal password: hunter2!",
        "Password is hunter2!",
        "password is wrong-hunter2!",
        "pw? password=hunter2!",
        'x {"password":"hunter2!"} y',
    ],
)
def test_a_password_in_a_text_is_masked(text: str) -> None:
    masked = mask_secrets(text)
    assert "hunter2" not in masked
    assert MASK in masked
    assert mask_secrets(masked) == masked


@pytest.mark.parametrize("text", ["457-55-5462", "x457-55-5462", "SSN-457-55-5462", "(457 55 5462)", "457 - 55 - 5462"])
def test_a_grouped_number_is_recognized_anywhere(text: str) -> None:
    assert SSN.search(text)


@pytest.mark.parametrize(
    "text",
    ["2026-01-31", "1457-55-5462", "457-55-54621", "457-55-5462-1", "9-457-55-5462", "(305) 555-0142", "33010-1234"],
)
def test_other_grouped_numbers_are_no_ssn(text: str) -> None:
    assert SSN.search(text) is None


def test_hostile_texts_are_searched_in_time() -> None:
    """Every text of the public corpus, and texts made to repeat a search."""
    file = Path(os.environ.get("QQETL_CASES", Path(__file__).parents[3] / "shared" / "cases")) / "naughty.jsonl"
    texts = [json.loads(line)["input"] for line in file.read_text().splitlines()] if file.exists() else []
    texts += [
        "SSN " * 20_000,
        "SSN " + "1 " * 40_000,
        "password" * 10_000,
        "1-" * 50_000,
        "ssn#" * 20_000,
        "tax " * 20_000,
    ]
    for text in texts:
        started = time.perf_counter()
        masked = mask_secrets(text)
        is_never_staged(text[:1000])
        is_never_logged(text[:1000])
        assert time.perf_counter() - started < 2
        assert mask_secrets(masked) == masked
