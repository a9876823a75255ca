"""From a body, as the API sends it, to the columns of production: the way of a record through reading and reshaping."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from etl.api.protocol import Records, make_records, parent_call, read_page
from etl.catalogue.resource import Resource
from etl.models.base import row_id
from etl.record import StagedRecord
from etl.reshape.derive import derive_records
from etl.reshape.reshaper import Reshaper, row_columns
from etl.resources import derived_from, find_resource

GOLDEN = Path(__file__).parents[1] / "simulator/golden"
NOW = datetime(2025, 12, 1, tzinfo=UTC)
TENANT = "default"

Columns = Mapping[str, str | None]


class Parent:
    """The customer, policy or office whose details were requested."""

    parent_raw_id = UUID(int=0)

    def __init__(self, parent_id: str, **fields: Any) -> None:
        self.parent_id = parent_id
        self.carried = json.dumps(fields).encode()


class Reshaped(NamedTuple):
    """The rows of a body by source id, and the column and the rule of each finding."""

    rows: Mapping[str, Columns]
    findings: Sequence[tuple[str, str]]
    stubs: Sequence[tuple[str, str, str | None]]


def golden(name: str) -> Any:
    """Return a golden body."""
    return json.loads((GOLDEN / f"{name}.json").read_text())


def read(name: str, body: Any, parent: Parent | None = None) -> Records:
    """Return the records in a body, or in the golden body of a name."""
    resource = find_resource(name)
    call = parent_call(resource, resource.endpoints[0], parent.parent_id if parent else "")
    content = (GOLDEN / f"{body}.json").read_bytes() if isinstance(body, str) else json.dumps(body).encode()
    page = read_page(call, 200, {}, content)
    return make_records(resource, resource.endpoints[0], page, requested_at=NOW, parent=parent)


def reshape(name: str, body: Any, parent: Parent | None = None) -> Reshaped:
    """Return what the records of a body become."""
    return rows_of(find_resource(name), staged(name, body, parent))


def derive(name: str, source: str, body: Any, parent: Parent | None = None) -> Reshaped:
    """Return what the parts of a body's records become in another resource."""
    resource, way = next((child, way) for child, way in derived_from(source) if child.name == name)
    incoming, _ = derive_records(resource, way, staged(source, body, parent))
    return rows_of(resource, [StagedRecord(str(UUID(int=2)), item.record) for item in incoming])


def staged(name: str, body: Any, parent: Parent | None) -> list[StagedRecord]:
    """Return the records of a body as staging keeps them."""
    records = read(name, body, parent)
    assert records.bad == []
    return [StagedRecord(str(UUID(int=1)), record) for record in records.records]


def rows_of(resource: Resource, records: Sequence[StagedRecord]) -> Reshaped:
    """Return what staged records become."""
    reshaper = Reshaper(resource, TENANT, zone="UTC", strict=False)
    names = row_columns(resource.model, resource.data_source)
    reshaped = [reshaper(record) for record in records]
    texts = [result.row.text.split("\t") for result in reshaped if result.row is not None]
    columns = [{n: None if t == "\\N" else t for n, t in zip(names, values, strict=True)} for values in texts]
    rows = {str(row["source_id"]): row for row in columns}
    assert len(rows) == len(reshaped), "a record has no row or shares one"
    findings = [(finding.field, finding.rule) for result in reshaped for finding in result.findings]
    return Reshaped(rows, findings, [stub for result in reshaped for stub in result.stubs])


def reference(table: str, source_id: int | str) -> str:
    """Return the id of a row of another table."""
    return str(row_id(TENANT, table, str(source_id)))


def part(row: Columns, expected: Columns) -> Columns:
    """Return the columns of a row that an expectation names."""
    return {column: row[column] for column in expected}
