"""Who is to blame for a refused key: it expired, it is wrong, or one resource is closed to it."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from etl.api.auth.credentials import Key, KeySource
from etl.api.protocol.answers import Refusal, Refused
from etl.api.protocol.calls import Call
from etl.errors import CredentialsRefused, EtlError

#: Tells whether a key is good at all, where one resource refuses it; it costs the API next to nothing.
PING = "BusinessLogic/Ping"


class Unauthorized(EtlError):
    """The API did not take the key."""

    def __init__(self, key: Key) -> None:
        super().__init__()
        self.key = key


class Admission:
    """Hands out keys, and judges what becomes of a call whose key was refused."""

    def __init__(self, keys: KeySource, ping: Callable[[Key], Awaitable[int]]) -> None:
        """Take keys from `keys`; `ping` returns the status that the cheapest call of all gets with a key."""
        self._keys = keys
        self._ping = ping
        self._opened: set[int] = set()  # numbers of keys that opened something
        self._closed: set[str] = set()  # resources that refuse keys which open others
        self._refused = False

    async def key(self) -> Key:
        """Return a key for the next request; raises CredentialsRefused when none is to be had."""
        if self._refused:
            raise CredentialsRefused
        return await self._keys.key()

    async def sign_in(self) -> None:
        """Try a key, and a newer one if it is refused; raises CredentialsRefused when that is refused too."""
        key = await self.key()
        if await self._ping(key) == HTTPStatus.UNAUTHORIZED:
            key = await self._keys.renewed(key)
            if await self._ping(key) == HTTPStatus.UNAUTHORIZED:
                self._refused = True
                raise CredentialsRefused
        await self.opened(key)

    async def opened(self, key: Key) -> None:
        """Note that a key opened something."""
        self._opened.add(key.number)
        await self._keys.proved(key)

    async def refused(self, call: Call, key: Key, *, again: bool) -> None:
        """Return when one more attempt is worth making after a refused key, the first time with a newer one.

        The second time the cheapest call tells whether the key is good and the resource closed, or the key expired.

        Raises Refused when the key opens other things, CredentialsRefused when it opens none.
        """
        if call.resource in self._closed:
            raise Refused(call, HTTPStatus.UNAUTHORIZED, Refusal.UNAUTHORIZED)
        if not again:
            await self._keys.renewed(key)
            return
        if await self._is_good(key):
            self._closed.add(call.resource)
            raise Refused(call, HTTPStatus.UNAUTHORIZED, Refusal.UNAUTHORIZED)
        if key.number in self._opened and await self._keys.renewed(key) != key:
            return  # it was good, and has expired since: calls beside this one may use up a token while this one waits
        self._refused = True
        raise CredentialsRefused

    async def _is_good(self, key: Key) -> bool:
        """Tell whether a key opens anything; where even the ping says neither yes nor no, whether any key ever did."""
        status = await self._ping(key)
        if status in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
            await self.opened(key)
            return True
        return status != HTTPStatus.UNAUTHORIZED and bool(self._opened)
