"""Hostile texts in every text field of every resource: a sync loads each, or reports a finding."""

import json
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest
from aiohttp import web
from no_pauses import without_pauses
from sites import Site, open_site, serve_agency
from snapshots import changed_tables, row_versions, value

from etl.simulator.faults.faults import Faults

#: Fields left unchanged: ids, references, status and modification times.
UNCHANGED = frozenset(
    "EntityID PolicyId PolicyID CustomerId CustomerID ContactId QuoteID ClaimID ApplicationID RecordId CommissionID "
    "CommissionRuleID PolicyDetailsID AdjustmentID CoverageID EquipmentID DriverID VehicleID BlobInfoId AcordFormID "
    "QQID DepartmentID CarrierID QQTenantID Status QuoteStatus AdjustmentType ContactSubType IsDeleted CreatedOn "
    "DateLastModified EndorsementEffectiveDate Drivers Vehicles Data PageNumber PageSize PagesTotal TotalItems "
    "TotalPages IsSuccess ErrorCode".split()
)
TEXTS: tuple[str, ...] = (
    "", " ", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\ufffe\uffff", "\u202egnp.exe", "\u200b\u2060\ufeff",
    "e\u0301\u0301\u0301" * 400, "\N{FAMILY}\u200d\N{WOMAN}", "\u0661\u0662\u0663", "\uff11\uff12", "\u2028\u2029\x85",
    "\x1b[31mred\x1b[0m", "a\r\nb: c\r\n\r\nd", "%s %(a)s {0} {a.__class__}", "${jndi:ldap://x}", "=cmd|' /C calc'!A0",
    "'; DROP TABLE contacts; --", "\\N", "\\.", "a\tb\\tc", "NULL", "null", "undefined", "NaN", "Infinity", "-Infinity",
    "1e400", "1e-400", "0x1F", "1_000", "1,2,3", "9" * 400, "-0", "+1", "true", "none", "epoch", "now", "today",
    "infinity", "0000-00-00", "2024-02-30", "10000-01-01", "9999-12-31T23:59:59.9999999", "24:00", "@", "a@b@c",
    "x" * 20_000, "<script>alert(1)</script>", '{"a": 1}', "[]", "../../etc/passwd", "file:///x", "javascript:alert(1)",
    "((((((" * 200, "a" * 60 + "@" + "b." * 60, "(" * 5000, "-" * 5000, "0" * 5000,
)  # fmt: skip


class HostileTexts(Faults):
    """Replaces each text of other fields by the next hostile text."""

    def __init__(self) -> None:
        super().__init__(())
        self.texts = cycle(TEXTS)
        self.bodies: dict[str, bytes] = {}

    def spoil(self, request: web.Request, body: bytes) -> bytes:
        """Return the changed body, the same for each repeated request."""
        if "Ping" in request.path:
            return body
        key = f"{request.path_qs} {body.decode()}"
        if key not in self.bodies:
            self.bodies[key] = json.dumps(self.replace_texts(json.loads(body))).encode()
        return self.bodies[key]

    def replace_texts(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: self.keep(member) if name in UNCHANGED else self.replace_texts(member)
                for name, member in value.items()
            }
        if isinstance(value, list):
            return [self.replace_texts(member) for member in value]
        return next(self.texts) if isinstance(value, str) else value

    def keep(self, value: Any) -> Any:
        """Return an unchanged value; replace the texts in lists of records."""
        return [self.replace_texts(member) for member in value] if isinstance(value, list) else value


@pytest.fixture
def site(database_url: str) -> Iterator[Site]:
    with serve_agency(contacts=8) as simulator, open_site(simulator, database_url) as opened_site, without_pauses():
        del simulator.world.agency_rules[40:]
        simulator.server.faults = HostileTexts()
        yield opened_site


def test_hostile_values_affect_neither_other_records_nor_the_run(site: Site) -> None:
    summary = site.sync_once()
    assert summary.exit_status == 0, summary.batch.error
    assert sum(part.counts["fetched"] for part in summary.parts) > 100
    refused = {part.resource for part in summary.parts if part.counts["refused"]}
    assert refused == set(), "ids, references and status are unchanged"
    assert value(site.engine, "SELECT count(*) FROM etl.findings") > 100
    before = row_versions(site.engine)
    assert site.sync_once(full=True).exit_status == 0
    assert changed_tables(before, row_versions(site.engine)) == set()
