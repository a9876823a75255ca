"""Encryption of tokens at rest: a key from the client secret, and a digest of the credentials. Pure."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from etl.config.settings import Settings, secret_text


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A stored token: the access token and, if any, the refresh token."""

    access: str
    refresh: str | None


@dataclass(frozen=True, slots=True, repr=False)
class TokenCipher:
    """The keys of one tenant's row, for the current credentials."""

    fernet: Fernet
    account: bytes  #: digest of the credentials

    @classmethod
    def of(cls, settings: Settings, salt: bytes) -> "TokenCipher":
        """Return the keys for the credentials in the settings; slow on purpose, because client secrets may be short."""
        secret = secret_text(settings.qqcatalyst_client_secret).encode()
        both = Scrypt(salt=salt, length=64, n=2**14, r=8, p=1).derive(secret)
        digest = hmac.new(both[32:], "\x1f".join(_credentials(settings)).encode(), hashlib.sha256).digest()
        return cls(Fernet(urlsafe_b64encode(both[:32])), digest)

    def encrypt(self, token: Token) -> bytes:
        """Return an encrypted token."""
        return self.fernet.encrypt(msgspec.json.encode(token))

    def decrypt(self, account: bytes | None, ciphertext: bytes | None) -> Token | None:
        """Return the decrypted token; None if it belongs to other credentials or cannot be read."""
        if ciphertext is None or account is None or not hmac.compare_digest(account, self.account):
            return None
        try:
            return msgspec.json.decode(self.fernet.decrypt(ciphertext), type=Token)
        except (InvalidToken, msgspec.DecodeError):
            return None


def _credentials(settings: Settings) -> tuple[str, ...]:
    """Return all settings that a token depends on."""
    return (
        settings.qqcatalyst_token_url,
        secret_text(settings.qqcatalyst_client_id),
        secret_text(settings.qqcatalyst_username),
        secret_text(settings.qqcatalyst_password),
    )
