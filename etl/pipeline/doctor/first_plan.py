"""The plan of the next sync, from what the doctor has read; before the first sync an estimate."""

from collections.abc import Mapping
from dataclasses import replace

from etl.config.settings import Settings
from etl.extract.selection import NEEDS_ENTERPRISE_ACCESS, resource_names
from etl.ledger.transaction import Ledger
from etl.pipeline.doctor.call_report import CallStatus
from etl.pipeline.doctor.doctor import Examination, widen_samples
from etl.pipeline.forecast.estimate_details import AccountFacts
from etl.pipeline.forecast.forecast import NOT_OFFERED, SyncForecast, make_forecast
from etl.pipeline.forecast.read_facts import read_stored_facts
from etl.pipeline.options import Plan
from etl.resources import USEFUL
from etl.window import FIRST_INSTANT, Window

#: Results of calls that a sync does not make for each parent, and why.
LEFT_OUT = {
    CallStatus.NOT_OFFERED: NOT_OFFERED,
    CallStatus.ENTERPRISE: NEEDS_ENTERPRISE_ACCESS,
    CallStatus.REFUSED: "refused",
    CallStatus.SHAPE: "unexpected response format",
}


def plan_next_sync(ledger: Ledger | None, settings: Settings, examination: Examination) -> SyncForecast | None:
    """Return the forecast of the next sync; None if a list that everybody uses could not be read.

    Without the ledger of a migrated database, the next sync is the first. For the first sync, further pages of the
    lists are read with the calls that are left.
    """
    facts = AccountFacts(zone=settings.etl_api_timezone)
    if ledger is not None:
        facts = read_stored_facts(ledger, settings, examination.api.now)
    if any(name not in facts.read_to and name not in examination.samples for name in USEFUL):
        return None
    if not facts.read_to:
        widen_samples(examination)
    samples = {name: sample for name, sample in examination.samples.items() if name not in facts.read_to}
    window = Window(FIRST_INSTANT, examination.api.now)
    plan = Plan(dict.fromkeys(resource_names((), settings), window), find_left_out(examination))
    return make_forecast(plan, replace(facts, samples=samples), settings)


def find_left_out(examination: Examination) -> Mapping[str, str]:
    """Return the resources that a sync does not read, each with the reason."""
    return {report.resource: LEFT_OUT[report.status] for report in examination.reports if report.status in LEFT_OUT}
