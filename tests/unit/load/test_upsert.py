"""The statements of the load, for every model and source: what they bind, and which columns they change."""

import re

import pytest

from etl.catalogue import Resource
from etl.load import upsert as statements
from etl.load.upsert import insert_placeholders, soft_delete, upsert
from etl.models import PRODUCTION
from etl.models.base import PRIMARY, Model, fields_of
from etl.reshape.reshaper import row_columns
from etl.resources import CATALOGUE

every_resource = pytest.mark.parametrize("one", CATALOGUE, ids=lambda one: one.name)
every_model = pytest.mark.parametrize("model", PRODUCTION, ids=lambda model: model.__tablename__)


def made_for(one: Resource) -> statements.UpsertStatements:
    """Return the statements of a resource."""
    return upsert(one.model, one.data_source, row_columns(one.model, one.data_source))


def bound(statement: object) -> set[str]:
    """Return the parameters that a statement binds."""
    return set(re.findall(r"(?<!:):(\w+)", str(statement)))


def inserted(statement: object) -> list[str]:
    """Return the columns that a merge inserts into its table."""
    found = re.search(r"INSERT INTO public\.\w+ AS stored\s*\(([^)]*)\)", str(statement))
    assert found
    return [column.strip() for column in found[1].split(",")]


@every_resource
def test_rows_are_copied_in_reshape_order(one: Resource) -> None:
    made = made_for(one)
    assert made.columns == (*row_columns(one.model, one.data_source), "undated")
    listed = re.search(r"AS SELECT (.*) FROM", str(made.prepare))
    assert listed
    assert [column.split(" AS ")[-1] for column in listed[1].split(", ")] == list(made.columns)


@every_resource
def test_a_merge_writes_every_field_of_its_source_once(one: Resource) -> None:
    written = inserted(made_for(one).merge)
    assert len(written) == len(set(written))
    assert set(fields_of(one.model, one.data_source)) <= set(written)
    assert set(written) <= {column.name for column in one.model.__table__.columns}


@every_resource
def test_a_merge_binds_all_values(one: Resource) -> None:
    needed = {"tenant", "batch_id"} | ({"window_start", "window_end"} if one.data_source == PRIMARY else set())
    assert bound(made_for(one).merge) == needed
    assert bound(soft_delete(one)) == {"tenant", "batch_id"}


@every_model
def test_a_stub_writes_only_a_name(model: type[Model]) -> None:
    made = insert_placeholders(model)
    known = {"id", "tenant", "source_id", "is_placeholder", "last_synced_at", "etl_batch_id"}
    assert set(inserted(made.merge)) - known == ({model.label} if model.label else set())
    assert bound(made.merge) == {"tenant", "batch_id"}


def test_a_secondary_source_leaves_other_columns_unchanged() -> None:
    side = [one for one in CATALOGUE if one.data_source != PRIMARY]
    assert side
    for one in side:
        others = set(fields_of(one.model, PRIMARY)) | {"source_modified_at", "content_hash", "deleted_at", "raw_id"}
        assert not others & set(inserted(made_for(one).merge)), one.name


@every_resource
def test_rows_are_written_in_key_order_to_avoid_deadlocks(one: Resource) -> None:
    assert re.search(
        r"FROM classified WHERE outcome IN \('inserted', 'updated'\) ORDER BY id\b", str(made_for(one).merge)
    )


def test_the_statements_of_a_model_are_cached() -> None:
    one = CATALOGUE[0]
    assert made_for(one) is made_for(one)
