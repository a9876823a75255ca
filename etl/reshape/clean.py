"""Candidates into clean rows, verdicts and finding rows: what both roads, stepwise and stream, make of a group."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from etl.catalogue import Resource
from etl.config.settings import Settings
from etl.ledger.quality import findings
from etl.ledger.staging.raw_tables import Verdict
from etl.models.states import Outcome, RawState
from etl.record import Candidate
from etl.reshape.reshaper import Finding, Reshaped, Reshaper
from etl.values import Severity

#: The severities that make a raw row a `validation_error`: somebody should mend the data at its source.
BAD = (Severity.REFUSED, Severity.DROPPED)

#: The verdict on most records, and therefore made once.
CLEAN = Verdict(RawState.TRANSFORMED)

#: How long the reason kept with a raw row may get; the findings hold the rest.
LONGEST_REASON = 500


class Cleaned(msgspec.Struct, frozen=True, gc=False):
    """A candidate and what became of it; `broken` names the error when the machinery failed on it."""

    candidate: Candidate
    reshaped: Reshaped
    broken: str | None = None


def clean(reshape: Reshaper, candidates: Iterable[Candidate]) -> list[Cleaned]:
    """Reshape every candidate; one on which the machinery fails costs none of its neighbours."""
    return [clean_one(reshape, candidate) for candidate in candidates]


def clean_one(reshape: Reshaper, candidate: Candidate) -> Cleaned:
    """Reshape one candidate."""
    try:
        return Cleaned(candidate, reshape(candidate))
    except Exception as error:  # noqa: BLE001 (whatever it is, it is this record's alone; its type is kept)
        return Cleaned(candidate, Reshaped(None, [], []), broken=type(error).__name__)


def verdict(cleaned: Cleaned, rules: str) -> Verdict:
    """Return what a cleaned record is, before it is loaded."""
    if cleaned.broken:
        return Verdict(RawState.ERROR, f"cleaning failed ({cleaned.broken})")
    findings = cleaned.reshaped.findings
    if not findings:
        return CLEAN if cleaned.reshaped.row is not None else Verdict(RawState.LOADED, rules=rules)
    if cleaned.reshaped.refused:
        return Verdict(RawState.VALIDATION_ERROR, reason(findings), len(findings), rules)
    if any(finding.severity in BAD for finding in findings):
        return Verdict(RawState.VALIDATION_ERROR, reason(findings), len(findings))
    return Verdict(RawState.TRANSFORMED, None, len(findings))


def reason(findings: Sequence[Finding]) -> str:
    """Return what is bad about a record, in words that name fields and no person."""
    text = "; ".join(finding.message for finding in findings if finding.severity in BAD)
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"


def finding_rows(cleaned: Iterable[Cleaned]) -> Iterator[tuple[Any, ...]]:
    """Yield the findings as rows of the ledger."""
    for one in cleaned:
        for table, source_id, field, rule, severity, message, raw_value in one.reshaped.findings:
            yield table, source_id, field, rule, severity, message, raw_value, one.candidate.raw_id


def reshaper(resource: Resource, settings: Settings) -> Reshaper:
    """Return the reshaper of a resource under these settings."""
    strict = settings.etl_validation == "strict"
    return Reshaper(resource, settings.etl_tenant, zone=settings.etl_api_timezone, strict=strict)


def sound(cleaned: Iterable[Cleaned]) -> Iterator[Candidate]:
    """Yield the candidates that may have parts worth a row of their own: all but the refused and the broken."""
    return (one.candidate for one in cleaned if not one.reshaped.refused and not one.broken)


def keep_findings(
    connection: Connection, tenant: str, resource: Resource, batch_id: UUID, cleaned: Sequence[Cleaned]
) -> int:
    """Write the findings of cleaned records and return how many there are."""
    seen = [one.candidate.record.source_id for one in cleaned]
    return findings.keep(connection, tenant, resource.name, batch_id, seen, finding_rows(cleaned))


def outcomes(cleaned: Iterable[Cleaned], found: int) -> Counter[str]:
    """Return how many records ended at the cleaning, by outcome, and how many findings there are."""
    counts: Counter[str] = Counter({"findings": found})
    for one in cleaned:
        if one.reshaped.refused:
            counts[Outcome.REFUSED] += 1
        elif one.reshaped.row is None and not one.broken:
            counts[Outcome.NO_ROW] += 1
    return counts
