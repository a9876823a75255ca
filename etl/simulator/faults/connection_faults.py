"""Faults of the connection: late, slow, cut off or reset answers, and wrong headers."""

import asyncio
import socket
import struct
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime

from aiohttp import web

from etl.simulator.faults.spec import fault
from etl.simulator.planned_faults import PlannedFault

#: Seconds below which a pause costs more than it lasts.
SHORTEST_PAUSE = 0.01


@fault("send", "each answer starts this many seconds late", "1")
async def slow(
    fault: PlannedFault, _key: str, _request: web.Request, _response: web.Response
) -> web.StreamResponse | None:
    """Wait before the answer."""
    await asyncio.sleep(float(fault.argument))
    return None


@fault("send", "the Date header is off by this many seconds", "3600")
async def clock_skew(
    fault: PlannedFault, _key: str, _request: web.Request, response: web.Response
) -> web.StreamResponse | None:
    """Write another time into the Date header."""
    at = parsedate_to_datetime(response.headers["Date"]) + timedelta(seconds=float(fault.argument))
    response.headers["Date"] = format_datetime(at, usegmt=True)
    return None


@fault("send", "the headers name an encoding that the body does not have, for this many requests", "1")
async def wrong_encoding(
    fault: PlannedFault, key: str, _request: web.Request, response: web.Response
) -> web.StreamResponse | None:
    """Name an encoding in the headers that the body does not have."""
    if fault.due(key, fault.argument):
        response.headers["Content-Encoding"] = "gzip"
    return None


@fault("send", "the headers name this charset, the body is UTF-8", "utf-16")
async def wrong_charset(
    fault: PlannedFault, _key: str, _request: web.Request, response: web.Response
) -> web.StreamResponse | None:
    """Name a charset in the headers that the body does not have."""
    if response.body:
        response.charset = fault.argument
    return None


@fault("send", "each answer arrives at this many bytes a second", "1")
async def drip(
    fault: PlannedFault, _key: str, request: web.Request, response: web.Response
) -> web.StreamResponse | None:
    """Send the body in small parts, this many bytes a second."""
    stream = await _begin(request, response)
    body, rate = _bytes(response), float(fault.argument)
    size = max(1, int(rate * SHORTEST_PAUSE))
    for begin in range(0, len(body), size):
        await stream.write(body[begin : begin + size])
        await asyncio.sleep(size / rate)
    await stream.write_eof()
    return stream


@fault("send", "the body follows the headers this many seconds later, for the first request", "60")
async def stall(
    fault: PlannedFault, key: str, request: web.Request, response: web.Response
) -> web.StreamResponse | None:
    """Send the headers, and the body only seconds later, the first time."""
    if not fault.due(key):
        return None
    stream = await _begin(request, response)
    await asyncio.sleep(float(fault.argument))
    await stream.write(_bytes(response))
    await stream.write_eof()
    return stream


@fault("send", "the connection closes in the middle of the body, for this many requests", "1")
async def cut_body(
    fault: PlannedFault, key: str, request: web.Request, response: web.Response
) -> web.StreamResponse | None:
    """Close the connection in the middle of the body, the first times."""
    if not fault.due(key, fault.argument):
        return None
    body = _bytes(response)
    stream = await _begin(request, response)
    await stream.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return stream


@fault("send", "the connection is reset after this many bytes, the first time", "0")
async def reset(
    fault: PlannedFault, key: str, request: web.Request, response: web.Response
) -> web.StreamResponse | None:
    """Reset the connection after this many bytes of the body (0: before the headers), the first time."""
    if not fault.due(key):
        return None
    sent = int(fault.argument)
    stream: web.StreamResponse = response
    if sent:
        stream = await _begin(request, response)
        await stream.write(_bytes(response)[:sent])
    if request.transport is not None:
        # A linger time of zero makes close() send RST instead of FIN.
        plug: socket.socket = request.transport.get_extra_info("socket")
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return stream


def _bytes(response: web.Response) -> bytes:
    return bytes(response.body) if isinstance(response.body, bytes | bytearray) else b""


async def _begin(request: web.Request, response: web.Response) -> web.StreamResponse:
    stream = web.StreamResponse(status=response.status, headers=response.headers)
    stream.content_length = len(_bytes(response))
    await stream.prepare(request)
    return stream
