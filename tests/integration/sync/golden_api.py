"""A server that gives fixed answers: bodies written from what is known of the API, each under the path of its call."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

API, TOKEN = "/v1/", {"access_token": "golden", "token_type": "bearer", "expires_in": 3600}
NOT_FOUND = {"Message": "No HTTP resource was found that matches the request URI."}


@dataclass(frozen=True)
class GoldenApi:
    """The addresses of the server, under the names that a simulator has for them."""

    address: str

    @property
    def api_url(self) -> str:
        return self.address + API

    @property
    def token_url(self) -> str:
        return f"{self.address}/oauth/token"


def answer_of(bodies: Mapping[str, Any], target: str) -> tuple[int, Any]:
    """Return the status and the body for a call: a list of records under the path of a feed becomes its page."""
    parts = urlsplit(target)
    path, query = parts.path.removeprefix(API), parse_qs(parts.query)
    if path not in bodies:
        return 404, NOT_FOUND
    return 200, page(bodies[path], query) if "startDate" in query else bodies[path]


def page(records: list[dict[str, Any]], query: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the page of a feed with the records that were created or modified in a range of days."""
    first, last = query["startDate"][0][:10], query["endDate"][0][:10]
    stamps = ("CreatedOn", "DateLastModified")
    found = [record for record in records if any(first <= (record[name] or "")[:10] < last for name in stamps)]
    return {
        "Data": found, "PageNumber": int(query["pageNumber"][0]), "PagesTotal": 1, "TotalItems": len(found),
        "IsSuccess": True, "ErrorCode": None, "ErrorMessage": None, "DisplayMessage": None, "Links": [], "Href": "",
    }  # fmt: skip


@contextmanager
def serve_bodies(bodies: Mapping[str, Any]) -> Iterator[GoldenApi]:
    """Give a server that answers calls with these bodies, by path, and any other call with 404."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send(*answer_of(bodies, self.path))

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send(*((200, TOKEN) if self.path == "/oauth/token" else answer_of(bodies, self.path)))

        def send(self, status: int, body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Keep the output of the tests free of requests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield GoldenApi(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
