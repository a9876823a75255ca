"""The heartbeat: a watchdog's address that is called after each run, and to which nothing is ever sent."""

import asyncio
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from etl.config.logs import get_logger
from etl.config.settings import Settings, secret_text

#: Seconds for one call in all.
TIMEOUT_SECONDS = 10.0

log = get_logger(__name__)


def send_heartbeat(settings: Settings, *, well: bool) -> bool:
    """Call the watchdog's address, with `/fail` behind its path unless all went well; tell whether it answered well.

    A watchdog that does not answer is logged, and its address, which may be a secret, is not.
    """
    if settings.etl_heartbeat_url is None:
        return True
    try:
        status = asyncio.run(call_url(heartbeat_url(secret_text(settings.etl_heartbeat_url), well=well)))
    except (aiohttp.ClientError, OSError, ValueError) as error:
        log.warning("no heartbeat", reason=type(error).__name__)
        return False
    if status >= HTTPStatus.BAD_REQUEST:
        log.warning("no heartbeat", status=status)
    return status < HTTPStatus.BAD_REQUEST


def heartbeat_url(url: str, *, well: bool) -> str:
    """Return where to call."""
    parts = urlsplit(url)
    return url if well else parts._replace(path=f"{parts.path.rstrip('/')}/fail").geturl()


async def call_url(url: str) -> int:
    """Return the status of the answer to a call without any data."""
    limit = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=limit, trust_env=True) as session,
        session.get(URL(url, encoded=True), allow_redirects=False) as answer,
    ):
        return answer.status
