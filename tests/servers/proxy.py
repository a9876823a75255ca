"""A proxy in front of PostgreSQL with network failures: it drops all data, or loses the answer to a commit."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

#: A COMMIT as a simple query of the wire protocol: type, length, text and a NUL.
COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


class Proxy:
    """Forwards bytes unless a failure is set; acknowledges dropped bytes, like a proxy in front of a dead network."""

    def __init__(self, url: str) -> None:
        self.swallows = threading.Event()  #: set: drop all data in both directions
        self.loses = 0  #: how many answers to commits to lose, each with its connection
        self.lost = 0
        self.reaches_server = True  #: whether a commit whose answer is lost reaches the server
        self.delivers = threading.Event()  #: clear: such a commit is delayed on its way to the server
        self.delivers.set()
        self._to = (urlsplit(url).hostname or "127.0.0.1", urlsplit(url).port or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = [self._listener]
        self.url = urlsplit(url)._replace(netloc=self._netloc(url)).geturl()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _netloc(self, url: str) -> str:
        credentials = urlsplit(url).netloc.rpartition("@")[0]
        return f"{credentials}@127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                self._sockets.append(near)
                far = socket.create_connection(self._to)
                self._sockets.append(far)
            except OSError:
                return
            ways: tuple[tuple[socket.socket, socket.socket, Callable[[bytes], bool]], ...] = (
                (near, far, self._breaks_at), (far, near, lambda _: False),
            )  # fmt: skip
            for source, sink, breaks in ways:
                threading.Thread(target=self._pass_on, args=(source, sink, breaks), daemon=True).start()

    def _breaks_at(self, sent: bytes) -> bool:
        """Return whether this is a commit whose answer must be lost."""
        if self.loses <= 0 or not sent.endswith(COMMIT):
            return False
        self.loses -= 1
        self.lost += 1
        return True

    def _pass_on(self, source: socket.socket, sink: socket.socket, breaks: Callable[[bytes], bool]) -> None:
        try:
            while data := source.recv(65536):
                if breaks(data):
                    source.shutdown(socket.SHUT_RDWR)
                    self.delivers.wait()
                    if self.reaches_server:
                        sink.sendall(data)
                    return
                if not self.swallows.is_set():
                    sink.sendall(data)
        except OSError:
            return
        finally:
            # The server sees the end of the connection, as if the network still worked on its side.
            for each in (source, sink):
                self._end(each)

    @staticmethod
    def _end(each: socket.socket) -> None:
        try:
            each.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def close(self) -> None:
        """Close every connection and accept no more."""
        self.delivers.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join(10)
        for each in self._sockets:
            each.close()


@contextmanager
def proxied(url: str) -> Iterator[Proxy]:
    """Run a proxy in front of the server at a URL."""
    proxy = Proxy(url)
    try:
        yield proxy
    finally:
        proxy.close()
