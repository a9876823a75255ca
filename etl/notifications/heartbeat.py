"""The heartbeat: calls the URL of a monitoring service after each run, without sending data."""

import asyncio
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from etl.api.proxy import environment_proxy
from etl.config.logs import get_logger
from etl.config.settings import Settings, secret_text

#: Total seconds for one call.
TIMEOUT_SECONDS = 10.0

log = get_logger(__name__)


def send_heartbeat(settings: Settings, *, well: bool) -> bool:
    """Call the heartbeat URL, with `/fail` appended to its path after a failure; return whether the call succeeded.

    Logs a failed call, but not the URL, which may contain a secret.
    """
    if settings.etl_heartbeat_url is None:
        return True
    try:
        status = asyncio.run(call_url(heartbeat_url(secret_text(settings.etl_heartbeat_url), well=well)))
    except (aiohttp.ClientError, OSError, ValueError) as error:
        log.warning("heartbeat failed", reason=type(error).__name__)
        return False
    if status >= HTTPStatus.BAD_REQUEST:
        log.warning("heartbeat failed", status=status)
    return status < HTTPStatus.BAD_REQUEST


def heartbeat_url(url: str, *, well: bool) -> str:
    """Return the URL to call, with `/fail` appended to its path after a failure."""
    parts = urlsplit(url)
    return url if well else parts._replace(path=f"{parts.path.rstrip('/')}/fail").geturl()


async def call_url(url: str) -> int:
    """Call a URL without data and return the HTTP status."""
    limit = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    address = URL(url, encoded=True)
    async with (
        aiohttp.ClientSession(timeout=limit, trust_env=False) as session,
        session.get(address, allow_redirects=False, proxy=environment_proxy(address)) as answer,
    ):
        return answer.status
