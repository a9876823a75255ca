"""Errors before a run begins: one clear error of the right class, and no partial state."""

import threading
from collections.abc import Callable

import pytest
from aiohttp import web
from sites import Site, set_faults
from snapshots import value, values

from etl.config.settings import Settings
from etl.database.connect import make_engine
from etl.database.embedded.server import EmbeddedPostgres
from etl.errors import (
    ApiUnavailable,
    CredentialsRefused,
    DatabaseNotReady,
    DatabaseUnavailable,
    EtlError,
    SettingsError,
    WindowError,
)
from etl.extract.service import ExtractService
from etl.pipeline import sync
from etl.simulator import Simulator
from etl.window import Window

EVER = {"start_date": "2020-01-01", "end_date": "2999-01-01"}
WORKING = "SELECT count(*) FROM etl.batches WHERE status NOT IN ('failed', 'completed')"


def refused(site: Site, error: type[EtlError], match: str, **changes: object) -> None:
    """Check that neither a sync nor an extract begins, and that both leave nothing behind."""
    spoilt = site.with_settings(**changes)
    for start in (
        spoilt.sync_once,
        lambda: ExtractService(spoilt.engine, settings=spoilt.settings).extract_data(EVER),
    ):
        with pytest.raises(error, match=match):
            start()
    assert values(site.engine, "SELECT status FROM etl.batches") == []
    assert value(site.engine, "SELECT count(*) FROM etl.leases WHERE expires_at > now()") == 0
    assert value(site.engine, "SELECT count(*) FROM raw.raw_locations") == 0


def test_all_invalid_settings_are_named_at_once_without_their_values() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load(etl_rate=-5, etl_page_size=0, qqcatalyst_api_url="gopher://hidden-host")
    for name in ("ETL_RATE", "ETL_PAGE_SIZE", "QQCATALYST_API_URL"):
        assert name in str(caught.value)
    assert "hidden-host" not in str(caught.value)


def test_missing_credentials_are_named(site: Site) -> None:
    refused(site, SettingsError, "QQCATALYST_PASSWORD", qqcatalyst_password=None)


def test_refused_credentials(site: Site, simulator: Simulator) -> None:
    set_faults(simulator, "token-refused")
    refused(site, CredentialsRefused, "QQCATALYST_USERNAME and QQCATALYST_PASSWORD")


def test_a_token_that_is_never_accepted(site: Site, simulator: Simulator) -> None:
    set_faults(simulator, "unauthorized-always")
    refused(site, CredentialsRefused, "rejected the credentials")


def test_an_api_that_is_not_running(site: Site) -> None:
    refused(site, ApiUnavailable, "127.0.0.1", qqcatalyst_api_url="http://127.0.0.1:9/v1")


def test_a_window_in_the_future(site: Site) -> None:
    future = Window.of({"start_date": "2998-01-01", "end_date": "2999-01-01"})
    with pytest.raises(WindowError, match="is in the future"):
        site.sync_once(future)
    assert values(site.engine, "SELECT status FROM etl.batches") == []


def test_a_database_without_our_tables(site: Site, empty_database_url: str) -> None:
    engine = make_engine(empty_database_url)
    with pytest.raises(DatabaseNotReady, match="qqetl db upgrade"):
        sync(engine, site.settings)
    engine.dispose()


def test_a_database_that_does_not_exist(site: Site, server: EmbeddedPostgres) -> None:
    nowhere = make_engine(server.url.rsplit("/", 1)[0] + "/nowhere")
    with pytest.raises(DatabaseNotReady, match="no database of this name"):
        sync(nowhere, site.settings)


def test_a_database_server_that_is_not_running(site: Site) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
        sync(make_engine("postgresql://etl@127.0.0.1:9/etl"), site.settings)


def test_credentials_refused_during_a_run_leave_a_resumable_batch(
    site: Site, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(simulator.server.faults, "of_request", refuse_after(simulator, "AccountInfo"))
        with pytest.raises(CredentialsRefused):
            site.sync_once()
    assert values(site.engine, "SELECT status FROM etl.batches") == ["failed"]
    assert value(site.engine, WORKING) == 0
    assert site.sync_once().exit_status == 0
    assert set(values(site.engine, "SELECT status FROM etl.batches")) == {"completed"}


def refuse_after(simulator: Simulator, path: str) -> Callable[[web.Request], web.Response | None]:
    """Return a function that answers every call with 401 for any token, from the first call of a path on."""
    ordinary = simulator.server.faults.of_request
    refusing = threading.Event()

    def answer(request: web.Request) -> web.Response | None:
        if path in request.path:
            refusing.set()
        return web.json_response({}, status=401) if refusing.is_set() else ordinary(request)

    return answer


def test_another_account_under_the_same_tenant(synced: Site) -> None:
    other = synced.with_settings(qqcatalyst_username=None, qqcatalyst_auth="enterprise")
    with pytest.raises(SettingsError, match="belongs to another QQCatalyst account"):
        other.sync_once()
    assert value(synced.engine, "SELECT count(*) FROM etl.batches") == 1
