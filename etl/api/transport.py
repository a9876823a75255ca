"""The HTTP transport: one request, one answer, within a deadline and a size, over verified TLS."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Self

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from etl.api.proxy import environment_proxy
from etl.docstrings import docstring_of
from etl.errors import CertificateRefused, NoAnswer, TooLarge


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one request: seconds, and bytes after decompression."""

    total: float = 60.0
    connect: float = 10.0
    read: float = 30.0
    size: int = 200_000_000


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as received."""

    status: int
    headers: Mapping[str, str]  #: names in any case
    body: bytes


class Transport:
    """A pool of connections that follows no redirect, keeps no cookie, and uses the proxies of the environment."""

    def __init__(self, connections: int, limits: Limits) -> None:
        self._connections = connections
        self._limits = limits
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        limits = self._limits
        self._session = aiohttp.ClientSession(
            # Created here rather than by aiohttp at import, so that the current SSL_CERT_FILE counts.
            connector=aiohttp.TCPConnector(limit=self._connections, ssl=ssl.create_default_context()),
            timeout=aiohttp.ClientTimeout(total=limits.total, sock_connect=limits.connect, sock_read=limits.read),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept": "application/json", "User-Agent": f"qqcatalyst-etl/{product_version()}"},
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(
        self,
        what: str,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | aiohttp.FormData | None = None,
    ) -> Reply:
        """Return the answer to one request; `what` names it in messages.

        Raises ApiUnavailable if the answer is late or cut, TooLarge, and CertificateRefused.
        """
        if self._session is None:
            raise RuntimeError("The connections are closed; use the client in `async with`.")
        address = URL(url, encoded=True)
        proxy = environment_proxy(address)
        try:
            async with (
                asyncio.timeout(self._limits.total),
                self._session.request(
                    method, address, headers=headers, data=body, allow_redirects=False, proxy=proxy
                ) as response,
            ):
                content = await self._read(response)
        except (aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError) as error:
            raise CertificateRefused(f"{what}: {docstring_of(CertificateRefused)}") from error
        except TimeoutError as error:
            is_connected = not isinstance(error, aiohttp.ConnectionTimeoutError)
            message = f"{what}: {_host(url)} gave no complete answer in time."
            raise NoAnswer(message, is_overload=is_connected) from None
        except (aiohttp.ClientError, OSError, ValueError, EOFError) as error:
            raise NoAnswer(f"{what}: {_host(url)} {_reason(error)}.") from None
        return Reply(response.status, CIMultiDict(response.headers), content)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """Return the decompressed body; raise TooLarge as soon as it exceeds the limit."""
        chunks = bytearray()
        async for chunk in response.content.iter_any():
            chunks += chunk
            if len(chunks) > self._limits.size:
                response.close()
                raise TooLarge(f"The answer is larger than {self._limits.size:,} bytes.")
        return bytes(chunks)


def product_version() -> str:
    """Return the version of this product, `unknown` if it is not installed."""
    try:
        return version("qqcatalyst-etl")
    except PackageNotFoundError:
        return "unknown"


def _host(url: str) -> str:
    """Return the host of a URL, for a message."""
    return URL(url, encoded=True).host or "The API"


#: Descriptions of errors: the first matching type counts. The libraries' own messages may quote the answer.
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ClientConnectorDNSError, "could not be resolved (DNS)"),
    (aiohttp.ClientProxyConnectionError, "cannot be reached: the proxy does not answer"),
    (aiohttp.ClientConnectorError, "cannot be reached"),
    (aiohttp.ClientPayloadError, "closed the connection in the middle of its answer"),
    (aiohttp.ServerDisconnectedError, "closed the connection"),
    (aiohttp.ClientOSError, "closed the connection"),
)


def _reason(error: BaseException) -> str:
    """Return why there was no answer, without quoting it, and the type of the error for debugging."""
    reason = next((reason for kind, reason in _REASONS if isinstance(error, kind)), "gave no complete answer")
    cause = getattr(error, "os_error", None) or error.__cause__
    return f"{reason} ({type(cause if isinstance(cause, OSError) else error).__name__})"
