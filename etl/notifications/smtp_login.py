"""SMTP clients that sign in with any user name and password: the library's send only ASCII."""

import base64
import hmac
import smtplib
from collections.abc import Callable
from typing import Any

_CHALLENGE, _ACCEPTED = 334, (235, 503)
_MAX_CHALLENGES = 5


class Utf8Login(smtplib.SMTP):
    """Sends user name and password as UTF-8 (RFC 4616 for PLAIN, RFC 4954)."""

    def auth(self, mechanism: str, authobject: Callable[..., Any], *, initial_response_ok: bool = True) -> Any:
        """Sign in with one mechanism; raise SMTPAuthenticationError if the server refuses."""
        first = authobject() if initial_response_ok else None
        self._auth_challenge_count = int(first is not None)  # `auth_login` answers by it
        command = mechanism.upper() if first is None else f"{mechanism.upper()} {_encode(first)}"
        code, answer = self.docmd("AUTH", command)
        while code == _CHALLENGE and self._auth_challenge_count < _MAX_CHALLENGES:
            self._auth_challenge_count += 1
            code, answer = self.docmd(_encode(authobject(base64.decodebytes(answer))))
        if code in _ACCEPTED:
            return code, answer
        raise smtplib.SMTPAuthenticationError(code, answer)

    def auth_cram_md5(self, challenge: Any = None) -> Any:
        """Return the answer to a challenge (RFC 2195), None without one."""
        if challenge is None:
            return None
        return f"{self.user} {hmac.new(self.password.encode(), challenge, 'md5').hexdigest()}"


class Utf8Smtp(Utf8Login):
    """A connection that begins without TLS."""


class Utf8SmtpOverTls(Utf8Login, smtplib.SMTP_SSL):
    """A connection with TLS from the start."""


def _encode(text: str) -> str:
    """Return a text for a line of the sign-in."""
    return base64.b64encode(text.encode()).decode("ascii")
