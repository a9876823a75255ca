"""Whatever names a placeholder stands in a column of the row that refers to it, read as a placeholder's name is."""

from dataclasses import replace

import pytest

from etl.models import PRODUCTION
from etl.models.base import Field, Model, fields_of, references_of
from etl.references import InboundReference, find_inbound_references
from etl.resources import CATALOGUE
from etl.values import Text

EVERY = [(model, one) for model in PRODUCTION for one in find_inbound_references(model)]


def column(model: type[Model], name: str) -> Field:
    """Return the field of a column, whichever road brings it."""
    roads = {one.data_source for one in CATALOGUE if one.model is model}
    return next(fields[name] for road in roads if name in (fields := fields_of(model, road)))


def test_every_foreign_key_is_a_way_to_refer() -> None:
    keys = {
        (one.model, name, kind.table) for one in CATALOGUE for name, kind in references_of(one.model, one.data_source).items()
    }
    assert {(one.model, one.column, model.__tablename__) for model, one in EVERY if one.soft_reference is None} == keys


def test_a_name_that_comes_with_a_reference_has_a_column() -> None:
    named = {
        (one.model, name)
        for one in CATALOGUE
        for name, kind in references_of(one.model, one.data_source).items()
        if kind.label is not None
    }
    assert {(one.model, one.column) for _, one in EVERY if one.soft_reference is None and one.label} == named


@pytest.mark.parametrize(
    ("model", "one"),
    [(model, one) for model, one in EVERY if one.label or (one.soft_reference and one.soft_reference.prefix)],
    ids=lambda given: f"{given.model.__tablename__}.{given.column}" if isinstance(given, InboundReference) else None,
)
def test_a_name_is_cleaned_alike_wherever_it_is_read(model: type[Model], one: InboundReference) -> None:
    assert model.label is not None
    kind = column(one.model, one.label or one.column).kind
    assert kind == Text(placeholders=True)


def test_what_a_stub_tells_of_stands_in_the_rows_of_every_resource_that_has_it() -> None:
    for resource in CATALOGUE:
        for stub in resource.stubs:
            said = [one.column for one in find_inbound_references(stub.model) if one.soft_reference and one.model is resource.model]
            assert said, f"{resource.name} tells of {stub.model.__tablename__} and keeps nothing of it"


def test_words_count_where_no_foreign_key_points_there_instead() -> None:
    (of_details,) = (
        one for _, one in EVERY if one.soft_reference and one.model.__tablename__ == "policy_details" and one.column == "csr_name"
    )
    assert of_details.build_presence_condition() == "pointing.csr_name IS NOT NULL AND pointing.csr_id IS NULL"
    assert replace(of_details, soft_reference=None).build_condition("x") == "pointing.csr_name = x.id"
