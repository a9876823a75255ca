"""The log of a run: every line is one event with its batch and, for a call, its request."""

import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
from sites import Site, set_faults

from etl.cli.commands.runs import run_to_row
from etl.config.logs import configure_logging, get_logger
from etl.engine.page_writer import PageWriter
from etl.engine.workers import WorkerSetup
from etl.errors import ApiUnavailable, Interrupted
from etl.extract import ExtractService
from etl.ledger.children.queue import RefreshAge
from etl.ledger.transaction import Ledger
from etl.load import LoadService
from etl.pipeline.stream import make_stream_writer
from etl.status.runs import list_runs
from etl.transform import TransformService

SOME = ("claims", "carrier_list")


@pytest.fixture
def logging_site(site: Site, tmp_path: Path) -> Iterator[Site]:
    """Give a site whose log goes to a file, and restore logging afterwards."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    debug_site = site.with_settings(log_level="DEBUG", log_file=tmp_path / "log")
    configure_logging(debug_site.settings.log)
    yield debug_site
    for handler in set(root.handlers) - set(before):
        handler.close()
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def events(site: Site, name: str | None = None) -> list[dict[str, Any]]:
    assert site.settings.log_file is not None
    lines = [json.loads(line) for line in site.settings.log_file.read_text().splitlines()]
    return [line for line in lines if name in (None, line["event"])]


def test_every_line_of_a_run_names_its_batch_and_every_call_its_request(logging_site: Site) -> None:
    set_faults(logging_site.simulator, "server-errors:1")
    summary = logging_site.sync_once(resources=SOME)
    batch = {str(summary.batch.id)}
    for name in ("batch started", "batch step finished", "resource finished", "answered"):
        assert {line["batch"] for line in events(logging_site, name)} == batch, name
    retried = [line for line in events(logging_site, "trying again") if "request" in line]
    answered = {line["request"]: line["call"] for line in events(logging_site, "answered")}
    assert len(retried) >= 2
    assert {line["batch"] for line in retried} == batch
    assert all(answered[line["request"]] == line["call"] for line in retried), "a call keeps its request id"
    assert len(answered) == len(events(logging_site, "answered")), "no two calls share a request id"
    ends = {line["resource"]: line for line in events(logging_site, "resource finished")}
    assert ends["claims"]["state"] == "done"
    assert ends["claims"]["fetched"] == ends["claims"]["inserted"] > 0


def test_lines_logged_while_a_page_group_is_written_name_the_batch(
    logging_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = PageWriter.write

    def telling(self: PageWriter, group: Any) -> Any:
        get_logger("etl.test").info("taken")
        return take(self, group)

    monkeypatch.setattr(PageWriter, "write", telling)
    summary = logging_site.sync_once(resources=SOME)
    assert {line.get("batch") for line in events(logging_site, "taken")} == {str(summary.batch.id)}


def test_a_worker_process_names_the_batch(logging_site: Site) -> None:
    summary = logging_site.sync_once(resources=SOME)
    url = logging_site.engine.url.render_as_string(hide_password=False)
    settings = logging_site.settings
    age = RefreshAge(*settings.refresh_ages)
    make_writer = partial(
        make_stream_writer,
        options=settings.cleaning,
        overlap=settings.etl_overlap,
        age=age,
        batch=summary.batch,
        windows={},
    )
    writer = WorkerSetup(url, settings.log, summary.batch, None, make_writer)()
    get_logger("etl.test").info("in the worker")
    writer.ledger.engine.dispose()
    assert [line["batch"] for line in events(logging_site, "in the worker")] == [str(summary.batch.id)]


def test_the_separate_steps_name_the_batch(logging_site: Site) -> None:
    window = {"start_date": "2000-01-01", "end_date": "2999-01-01"}
    batch = ExtractService(logging_site.engine, settings=logging_site.settings).extract_data(window, SOME)
    TransformService(logging_site.engine, settings=logging_site.settings).transform_batch(batch)
    LoadService(logging_site.engine, settings=logging_site.settings).load_batch(batch, window)
    assert [line["batch"] for line in events(logging_site, "batch started")] == [str(batch)] * 3


def test_a_failed_batch_has_a_reason_and_later_lines_name_no_batch(
    logging_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ApiUnavailable("the API is away")

    monkeypatch.setattr(sys.modules["etl.pipeline.sync"], "run_checks_after_load", fails)
    with pytest.raises(ApiUnavailable):
        logging_site.sync_once(resources=SOME)
    get_logger("etl.test").info("afterwards")
    (failed,) = events(logging_site, "batch failed")
    assert (failed["level"], failed["reason"], failed["error"]) == ("warning", "the API is away", "ApiUnavailable")
    (after,) = events(logging_site, "afterwards")
    assert "batch" not in after


def test_a_batch_that_was_stopped_is_not_reported_as_failed(
    logging_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_stopped(*_: object, **__: object) -> None:
        raise Interrupted

    monkeypatch.setattr(sys.modules["etl.pipeline.sync"], "run_checks_after_load", is_stopped)
    with pytest.raises(Interrupted):
        logging_site.sync_once(resources=SOME)
    assert events(logging_site, "batch failed") == []
    (stopped,) = events(logging_site, "batch stopped")
    assert stopped["level"] == "info"
    newest = Ledger(logging_site.engine, "default").read(partial(list_runs, tenant="default", most=1))
    assert "stopped" in run_to_row(newest[0], datetime.now(UTC))
