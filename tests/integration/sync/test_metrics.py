"""Metrics agree with the tables, the page documents all of them, and the alerts name only existing ones."""

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sites import Site
from snapshots import pairs, value
from sqlalchemy import text

from etl.errors import ApiUnavailable, DatabaseUnavailable
from etl.ledger.transaction import Ledger
from etl.models.states import IncidentKind
from etl.notifications import after_run
from etl.resources import CATALOGUE
from etl.status.metrics import METRICS, UP, render_metrics

ROOT = Path(__file__).parents[3]
ALERTS = (ROOT / "docs/examples/prometheus-alerts.yml").read_text()
EXPRESSIONS = re.findall(r"^\s+expr: (.+)$", ALERTS, re.MULTILINE)

Samples = dict[tuple[str, frozenset[str]], float]


def samples(shown: str) -> Samples:
    """Return every sample by its name and label values, without the tenant."""
    return {
        (sample.name, frozenset(sample.labels.values()) - {"default"}): sample.value
        for family in text_string_to_metric_families(shown)
        for sample in family.samples
    }


def ledger(site: Site) -> Ledger:
    return Ledger(site.engine, site.settings.etl_tenant)


def test_they_agree_with_the_tables(synced: Site) -> None:
    after_run(ledger(synced), synced.settings, ApiUnavailable())
    values_by_sample = samples(render_metrics(ledger(synced).read))
    assert {name for name, _ in values_by_sample} >= {item.name for item in METRICS} | {UP, "qqetl_build_info"}
    assert values_by_sample[UP, frozenset()] == 1
    inserted = value(synced.engine, "SELECT sum(inserted) FROM etl.batch_resources WHERE resource = 'contacts'")
    assert values_by_sample["qqetl_records_total", frozenset({"contacts", "inserted"})] == inserted > 0
    assert (
        values_by_sample["qqetl_calls_total", frozenset()]
        >= value(synced.engine, "SELECT sum(attempts) FROM etl.requests")
        > 0
    )
    for severity, number in pairs(
        synced.engine,
        "SELECT severity, count(*) FROM etl.findings WHERE state = 'open' AND resource = 'contacts' GROUP BY severity",
    ):
        assert values_by_sample["qqetl_open_findings", frozenset({"contacts", severity})] == number
    assert {item.name for item in CATALOGUE if ("qqetl_lag_seconds", frozenset({item.name})) in values_by_sample} == {
        item.name for item in CATALOGUE if not item.is_optional
    }
    assert all(
        values_by_sample["qqetl_books_difference", frozenset({item.name})] == 0
        for item in CATALOGUE
        if not item.is_optional
    )
    troubles = {kind: values_by_sample["qqetl_open_troubles", frozenset({kind.value})] for kind in IncidentKind}
    assert troubles == {kind: float(kind is IncidentKind.RUN_FAILED) for kind in IncidentKind}
    assert values_by_sample["qqetl_mails_waiting", frozenset()] == 0


def test_an_imbalance_is_shown(synced: Site) -> None:
    with synced.engine.begin() as connection:
        connection.execute(text("UPDATE etl.batch_resources SET fetched = fetched + 3 WHERE resource = 'claims'"))
    assert samples(render_metrics(ledger(synced).read))["qqetl_books_difference", frozenset({"claims"})] == 3


def test_a_run_writes_them_to_a_file_on_any_outcome(as_synced: Site, tmp_path: Path) -> None:
    site = as_synced.with_settings(etl_metrics_file=tmp_path / "qqetl.prom")
    after_run(ledger(site), site.settings)
    assert samples((tmp_path / "qqetl.prom").read_text())[UP, frozenset()] == 1
    after_run(None, site.settings, DatabaseUnavailable())
    values_by_sample = samples((tmp_path / "qqetl.prom").read_text())
    assert values_by_sample[UP, frozenset()] == 0
    assert {name for name, _ in values_by_sample} == {UP, "qqetl_build_info"}
    assert [path.name for path in tmp_path.iterdir()] == ["qqetl.prom"]


def test_a_file_that_cannot_be_written_is_logged(
    as_synced: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    after_run(None, as_synced.with_settings(etl_metrics_file=tmp_path / "none" / "x.prom").settings)
    assert "FileNotFoundError" in caplog.text


def test_the_page_documents_exactly_the_existing_metrics() -> None:
    page = (ROOT / "docs/how-to/metrics.md").read_text()
    listed = re.findall(r"`(qqetl_\w+)` \| ([\w, ]*)\|", page)
    wanted = {metric.name: ", ".join(metric.labels) for metric in METRICS} | {UP: "", "qqetl_build_info": "version"}
    assert sorted((name, labels.strip()) for name, labels in listed) == sorted(wanted.items()), "each of them once"


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_alert_names_metrics_and_labels_that_exist(expression: str) -> None:
    labels = {item.name: set(item.labels) for item in METRICS} | {UP: set()}
    metric_names = re.findall(r"\bqqetl_\w+", expression)
    assert metric_names
    assert set(metric_names) <= set(labels)
    used = set(re.findall(r"\{(\w+)[=!]", expression))
    used |= {item.strip() for some in re.findall(r"by \(([\w, ]+)\)", expression) for item in some.split(",")}
    assert all(used <= labels[item] for item in metric_names)


def test_an_alert_message_uses_labels_of_its_metric() -> None:
    labels = {metric.name: set(metric.labels) for metric in METRICS} | {UP: set()}
    rules = re.split(r"^\s+- alert: ", ALERTS, flags=re.MULTILINE)[1:]
    assert len(rules) == len(EXPRESSIONS) >= 10
    for rule in rules:
        used_labels = set(re.findall(r"\$labels\.(\w+)", rule))
        kept = re.search(r"by \(([\w, ]+)\)", rule)
        has = set(kept[1].replace(" ", "").split(",")) if kept else labels[re.findall(r"\bqqetl_\w+", rule)[0]]
        assert used_labels <= has, rule
