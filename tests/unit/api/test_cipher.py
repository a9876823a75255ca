"""A token at rest: nobody reads it without the client secret, and other credentials are as if there were none."""

from typing import Any

import pytest

from etl.api.auth.cipher import Token, TokenCipher
from etl.config.settings import Settings

GIVEN: dict[str, Any] = {
    "qqcatalyst_client_id": "id-1",
    "qqcatalyst_client_secret": "secret-1",
    "qqcatalyst_username": "dana@example.com",
    "qqcatalyst_password": "password-1",
}
TOKEN = Token("access-1", "refresh-1")


def seal(salt: bytes = b"0123456789abcdef", **changed: str) -> TokenCipher:
    return TokenCipher.of(Settings(_env_file=None, **{**GIVEN, **changed}), salt)


def test_an_encrypted_token_is_read_again_with_the_same_credentials() -> None:
    cipher = seal()
    assert seal().decrypt(cipher.account, cipher.encrypt(TOKEN)) == TOKEN
    assert cipher.decrypt(cipher.account, cipher.encrypt(Token("a", None))) == Token("a", None)


def test_nothing_that_is_stored_shows_a_credential_or_the_token() -> None:
    cipher = seal()
    stored = cipher.encrypt(TOKEN) + cipher.account
    assert not any(secret.encode() in stored for secret in (*GIVEN.values(), TOKEN.access, "refresh-1"))
    assert cipher.encrypt(TOKEN) != cipher.encrypt(TOKEN)
    assert not any(word in repr((cipher, TOKEN)) for word in ("access-1", "refresh-1"))


@pytest.mark.parametrize(
    "changed",
    [
        {"qqcatalyst_client_id": "id-2"},
        {"qqcatalyst_client_secret": "secret-2"},
        {"qqcatalyst_username": "kim@example.com"},
        {"qqcatalyst_password": "password-2"},
        {"qqcatalyst_token_url": "https://login.example.com/oauth/token"},
        {"salt": b"another salt 123"},
    ],
)
def test_with_other_credentials_there_is_no_token(changed: dict[str, Any]) -> None:
    cipher, other = seal(), seal(**changed)
    assert other.account != cipher.account
    assert other.decrypt(cipher.account, cipher.encrypt(TOKEN)) is None


@pytest.mark.parametrize("ciphertext", [b"", b"garbage", b"gAAAAA", None])
def test_what_cannot_be_read_is_no_token(ciphertext: bytes | None) -> None:
    cipher = seal()
    assert cipher.decrypt(cipher.account, ciphertext) is None
    assert cipher.decrypt(None, cipher.encrypt(TOKEN)) is None


def test_a_token_under_a_key_that_no_longer_fits_is_no_token() -> None:
    cipher, other = seal(), seal(qqcatalyst_client_secret="secret-2")
    assert cipher.decrypt(cipher.account, other.encrypt(TOKEN)) is None
