"""Helpers for tests of notifications and digests: runs, received mails, open incidents."""

from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import SecretStr
from sites import Site
from sqlalchemy import text

from etl.errors import (
    EtlError,
)
from etl.ledger.notifications import incidents
from etl.ledger.transaction import Ledger
from etl.notifications import after_run
from etl.simulator.faults.faults import Faults

SOME = ("claims", "carrier_list")
PERSONAL = ("jane@example.com", "078-05-1120")


def with_mail_server(site: Site, port: int, folder: Path) -> Site:
    return site.with_settings(**mail_settings(port), etl_data_dir=folder)


def mail_settings(port: int) -> dict[str, Any]:
    return {
        "etl_smtp_url": SecretStr(f"smtp://127.0.0.1:{port}"),
        "etl_mail_from": "qqetl@example.com",
        "etl_mail_to": "ops@example.com",
    }


def ledger(site: Site) -> Ledger:
    return Ledger(site.engine, site.settings.etl_tenant)


def ended(site: Site, error: Exception | None = None, *, whole: bool = True) -> None:
    after_run(ledger(site), site.settings, error, whole=whole)


def run(site: Site, **options: Any) -> int:
    """Run a sync as a command does, with its notifications."""
    try:
        summary = site.sync_once(**{"resources": SOME, **options})
    except EtlError as error:
        ended(site, error)
        return error.exit_status
    ended(site, whole=summary.exit_status == 0)
    return summary.exit_status


def allow_refused_credentials(site: Site) -> None:
    """Allow refused credentials to be tried again at once."""
    execute(site, "UPDATE etl.tokens SET refused_until = now()")


class FailsAt(Faults):
    """Answers calls of some paths with server errors."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        super().__init__(())
        self.paths = paths

    def of_request(self, request: web.Request) -> web.Response | None:
        return web.Response(status=503) if any(path in request.path for path in self.paths) else None


def fail_at(site: Site, *paths: str) -> None:
    """Let calls of some paths fail from now on, and no others."""
    site.simulator.server.faults = FailsAt(paths)


def open_incidents(site: Site) -> list[tuple[str, str]]:
    incidents_by_key = ledger(site).read(partial(incidents.read_open_incidents, tenant="default"))
    return sorted((incident.kind.value, incident.subject) for incident in incidents_by_key)


def execute(site: Site, statements: str, **bound: Any) -> None:
    """Run statements one after the other in one transaction."""
    with site.engine.begin() as connection:
        for statement in filter(str.strip, statements.split(";")):
            connection.execute(text(statement), bound)
