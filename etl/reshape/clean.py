"""Cleans staged records into rows, statuses and findings; shared by the transform, the load and the sync."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from etl.catalogue.resource import Resource
from etl.config.options import CleaningOptions
from etl.ledger.quality import findings
from etl.ledger.staging.raw_tables import CleanStatus
from etl.models.states import Outcome, RawState
from etl.record import StagedRecord
from etl.reshape.reshaper import Finding, Reshaped, Reshaper
from etl.values import Severity

#: The severities that make a raw row a `validation_error`: the data should be corrected in QQCatalyst.
BAD_SEVERITIES = (Severity.REFUSED, Severity.DROPPED)

#: The status of most records, created once.
CLEAN = CleanStatus(RawState.TRANSFORMED)

#: Maximum length of the reason stored with a raw row; the findings hold the rest.
MAX_REASON_LENGTH = 500


class CleanResult(msgspec.Struct, frozen=True, gc=False):
    """A staged record and the result of its cleaning; `error` names the exception if cleaning failed."""

    staged: StagedRecord
    reshaped: Reshaped
    error: str | None = None


def clean_records(reshape: Reshaper, staged_records: Iterable[StagedRecord]) -> list[CleanResult]:
    """Reshape every record; a record on which the code fails does not affect the others."""
    return [clean_record(reshape, staged) for staged in staged_records]


def clean_record(reshape: Reshaper, staged: StagedRecord) -> CleanResult:
    """Reshape one record."""
    try:
        return CleanResult(staged, reshape(staged))
    except Exception as error:  # noqa: BLE001 (any error concerns only this record; its type is kept)
        return CleanResult(staged, Reshaped(None, [], []), error=type(error).__name__)


def clean_status(cleaned: CleanResult, rules: str) -> CleanStatus:
    """Return the status of a cleaned record before it is loaded."""
    if cleaned.error:
        return CleanStatus(RawState.ERROR, f"cleaning failed ({cleaned.error})")
    findings = cleaned.reshaped.findings
    if not findings:
        return CLEAN if cleaned.reshaped.row is not None else CleanStatus(RawState.LOADED, rules=rules)
    if cleaned.reshaped.refused:
        return CleanStatus(RawState.VALIDATION_ERROR, status_reason(findings), len(findings), rules)
    if any(finding.severity in BAD_SEVERITIES for finding in findings):
        return CleanStatus(RawState.VALIDATION_ERROR, status_reason(findings), len(findings))
    return CleanStatus(RawState.TRANSFORMED, None, len(findings))


def status_reason(findings: Sequence[Finding]) -> str:
    """Return what is wrong with a record, naming fields and no person."""
    text = "; ".join(finding.message for finding in findings if finding.severity in BAD_SEVERITIES)
    return text if len(text) <= MAX_REASON_LENGTH else text[: MAX_REASON_LENGTH - 1] + "…"


def finding_rows(cleaned: Iterable[CleanResult]) -> Iterator[tuple[Any, ...]]:
    """Yield the findings as rows of the ledger."""
    for result in cleaned:
        for table, source_id, field, rule, severity, message, raw_value in result.reshaped.findings:
            yield table, source_id, field, rule, severity, message, raw_value, result.staged.raw_id


def make_reshaper(resource: Resource, options: CleaningOptions) -> Reshaper:
    """Return the reshaper of a resource under these options."""
    return Reshaper(resource, options.tenant, zone=options.zone, strict=options.validation == "strict")


def usable_records(cleaned: Iterable[CleanResult]) -> Iterator[StagedRecord]:
    """Yield the records from which others may be derived: all except refused and failed ones."""
    return (result.staged for result in cleaned if not result.reshaped.refused and not result.error)


def save_findings(
    connection: Connection, tenant: str, resource: Resource, batch_id: UUID, cleaned: Sequence[CleanResult]
) -> int:
    """Store the findings of cleaned records and return their number."""
    source_ids = [result.staged.record.source_id for result in cleaned]
    return findings.write_findings(connection, tenant, resource.name, batch_id, source_ids, finding_rows(cleaned))


def count_outcomes(cleaned: Iterable[CleanResult], finding_count: int) -> Counter[str]:
    """Return how many records ended at the cleaning, by outcome, and the number of findings."""
    counts: Counter[str] = Counter({"findings": finding_count})
    for result in cleaned:
        if result.reshaped.refused:
            counts[Outcome.REFUSED] += 1
        elif result.reshaped.row is None and not result.error:
            counts[Outcome.NO_ROW] += 1
    return counts
