"""Runs the checks after a batch is loaded, and reports the results."""

from collections.abc import Iterable, Iterator
from functools import partial
from uuid import UUID

from sqlalchemy import Connection

from etl.checks.run_checks import CheckResult, run_due_checks
from etl.events import Message, Watch
from etl.ledger.quality.findings import CAP
from etl.ledger.transaction import Ledger
from etl.queries import Queries

SQL = Queries(__file__)


def run_checks_after_load(ledger: Ledger, batch_id: UUID, watch: Watch) -> list[CheckResult]:
    """Run the checks that are due, in one transaction; report and return the results."""
    results = ledger.commit(partial(run_due_checks, tenant=ledger.tenant, batch_id=batch_id))
    for message in (*summarize_checks(results), *ledger.read(partial(describe_left_out, batch_id=batch_id))):
        watch(Message(message))
    return results


def summarize_checks(results: Iterable[CheckResult]) -> Iterator[str]:
    """Yield a summary of the results, if there are new or fixed findings."""
    all_results = list(results)
    new, fixed = sum(result.new for result in all_results), sum(result.fixed for result in all_results)
    if new or fixed:
        yield f"Checks across records: {new:,} new findings, {fixed:,} fixed. `qqetl checks` explains them."


def describe_left_out(connection: Connection, batch_id: UUID) -> list[str]:
    """Return a message for each rule with more findings than a run stores."""
    return [
        f"{row.resource}: {row.number:,} more findings of {row.rule} were counted but not stored; a run stores {CAP:,}."
        for row in connection.execute(SQL["left_out_findings"], {"batch_id": batch_id})
    ]
