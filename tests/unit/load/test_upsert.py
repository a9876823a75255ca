"""The statements of the load, for every model and source: what they bind, and which columns they change."""

import re

import pytest

from etl.catalogue.resource import Resource
from etl.load import upsert as statements
from etl.load.upsert import insert_placeholders, soft_delete, upsert
from etl.models import PRODUCTION
from etl.models.base import PRIMARY, Model, fields_of
from etl.reshape.reshaper import row_columns
from etl.resources import CATALOGUE

WITH_TABLES = [resource for resource in CATALOGUE if resource.has_table]
every_resource = pytest.mark.parametrize("resource", WITH_TABLES, ids=lambda resource: resource.name)
every_model = pytest.mark.parametrize("model", PRODUCTION, ids=lambda model: model.__tablename__)


def made_for(resource: Resource) -> statements.UpsertStatements:
    """Return the statements of a resource."""
    return upsert(resource.model, resource.data_source, row_columns(resource.model, resource.data_source))


def bound(statement: object) -> set[str]:
    """Return the parameters that a statement binds."""
    return set(re.findall(r"(?<!:):(\w+)", str(statement)))


def inserted(statement: object) -> list[str]:
    """Return the columns that a merge inserts into its table."""
    match = re.search(r"INSERT INTO public\.\w+ AS stored\s*\(([^)]*)\)", str(statement))
    assert match
    return [column.strip() for column in match[1].split(",")]


@every_resource
def test_rows_are_copied_in_reshape_order(resource: Resource) -> None:
    merge_statements = made_for(resource)
    assert merge_statements.columns == (*row_columns(resource.model, resource.data_source), "undated")
    listed = re.search(r"AS SELECT (.*) FROM", str(merge_statements.prepare))
    assert listed
    assert [column.split(" AS ")[-1] for column in listed[1].split(", ")] == list(merge_statements.columns)


@every_resource
def test_a_merge_writes_every_field_of_its_source_once(resource: Resource) -> None:
    written = inserted(made_for(resource).merge)
    assert len(written) == len(set(written))
    assert set(fields_of(resource.model, resource.data_source)) <= set(written)
    assert set(written) <= {column.name for column in resource.model.__table__.columns}


@every_resource
def test_a_merge_binds_all_values(resource: Resource) -> None:
    needed = {"tenant", "batch_id"} | ({"window_start", "window_end"} if resource.data_source == PRIMARY else set())
    assert bound(made_for(resource).merge) == needed
    assert bound(soft_delete(resource)) == {"tenant", "batch_id"}


@every_model
def test_a_stub_writes_only_a_name(model: type[Model]) -> None:
    merge_statements = insert_placeholders(model)
    known = {"id", "tenant", "source_id", "is_placeholder", "last_synced_at", "etl_batch_id"}
    assert set(inserted(merge_statements.merge)) - known == ({model.label} if model.label else set())
    assert bound(merge_statements.merge) == {"tenant", "batch_id"}


def test_a_secondary_source_leaves_other_columns_unchanged() -> None:
    side = [  # a fallback also writes whole rows, of which the primary source has no record
        resource for resource in WITH_TABLES if resource.data_source != PRIMARY and not resource.data_source.is_fallback
    ]
    assert side
    for resource in side:
        others = set(fields_of(resource.model, PRIMARY)) | {
            "source_modified_at",
            "content_hash",
            "deleted_at",
            "raw_id",
        }
        assert not others & set(inserted(made_for(resource).merge)), resource.name


@every_resource
def test_rows_are_written_in_key_order_to_avoid_deadlocks(resource: Resource) -> None:
    assert re.search(
        r"FROM classified WHERE outcome IN \('inserted', 'updated'\) ORDER BY id\b", str(made_for(resource).merge)
    )


def test_the_statements_of_a_model_are_cached() -> None:
    resource = CATALOGUE[0]
    assert made_for(resource) is made_for(resource)
