"""A server that answers as a script says, down to the single byte: for faults that no well-behaved server has."""

import asyncio
import json
import socket
import ssl
import struct
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

Step = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


def answer(status: int, body: bytes | object = b"", **headers: str) -> bytes:
    """Return a whole HTTP answer; a body that is no bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"Content-Type": "application/json", "Content-Length": str(len(content))}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"HTTP/1.1 {status} Said So\r\n{head}\r\n".encode("latin-1") + content


def page(*ids: int, **more: object) -> bytes:
    """Return a page of contacts with these ids."""
    return answer(
        200, {"Data": [{"EntityID": entity_id} for entity_id in ids], "TotalItems": len(ids), "IsSuccess": True, **more}
    )


def token(name: str = "t", seconds: object = 3600, **more: object) -> bytes:
    """Return an answer that grants a token."""
    return answer(200, {"access_token": name, "token_type": "bearer", "expires_in": seconds, **more})


def cut(content: bytes, *, reset: bool = False) -> Step:
    """Send some bytes and end the connection, in good order or by a reset."""

    async def act(writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        if reset:
            linger = struct.pack("ii", 1, 0)  # closing then resets the connection
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        writer.close()

    return act


def drip(content: bytes, pause: float) -> Step:
    """Send byte after byte, with a pause before each."""

    async def act(writer: asyncio.StreamWriter) -> None:
        for byte in content:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(pause)

    return act


@dataclass
class Asked:
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass
class ScriptedApi:
    """Answers calls of the API and of the token address with one step after the other, the last one again and again."""

    steps: Sequence[Step]
    tokens: Sequence[Step] = field(default_factory=lambda: [token()])
    ping: Step | None = None
    tls: ssl.SSLContext | None = None
    by_key: dict[str, Step] = field(default_factory=dict)  #: steps for calls that carry a certain Authorization
    asked: list[Asked] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._left, self._left_tokens = deque(self.steps), deque(self.tokens)
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=self.tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    @property
    def address(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def calls(self) -> list[Asked]:
        """Return the calls of the API, without pings and requests for tokens."""
        return [request for request in self.asked if request.path.startswith("/v1/") and "Ping" not in request.path]

    def logins(self) -> list[Asked]:
        return [request for request in self.asked if request.path == "/oauth/token"]

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.is_closing():
                request = await self._hear(reader)
                self.asked.append(request)
                step = self._step(request)
                if isinstance(step, bytes):
                    writer.write(step)
                    await writer.drain()
                else:
                    await step(writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    @staticmethod
    async def _hear(reader: asyncio.StreamReader) -> Asked:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        return Asked(method, target, headers, await reader.readexactly(int(headers.get("content-length", 0))))

    def _step(self, request: Asked) -> Step:
        if request.path == "/oauth/token":
            return next_of(self._left_tokens)
        if "Ping" in request.path and self.ping is not None:
            return self.ping
        return self.by_key.get(request.headers.get("authorization", "")) or next_of(self._left)


def next_of(steps: "deque[Any]") -> Step:
    """Return the next step of a script; the last one stays."""
    step: Step = steps.popleft() if len(steps) > 1 else steps[0]
    return step
