"""Whatever names a placeholder stands in a column of the row that refers to it, read as a placeholder's name is."""

from dataclasses import replace

import pytest

from etl.models import PRODUCTION
from etl.models.base import Field, Model, fields_of, references_of
from etl.references import Referring, referring_to
from etl.resources import CATALOGUE
from etl.values import Text

EVERY = [(model, one) for model in PRODUCTION for one in referring_to(model)]


def column(model: type[Model], name: str) -> Field:
    """Return the field of a column, whichever road brings it."""
    roads = {one.road for one in CATALOGUE if one.model is model}
    return next(fields[name] for road in roads if name in (fields := fields_of(model, road)))


def test_every_foreign_key_is_a_way_to_refer() -> None:
    keys = {
        (one.model, name, kind.table) for one in CATALOGUE for name, kind in references_of(one.model, one.road).items()
    }
    assert {(one.model, one.column, model.__tablename__) for model, one in EVERY if one.said is None} == keys


def test_a_name_that_comes_with_a_reference_has_a_column() -> None:
    named = {
        (one.model, name)
        for one in CATALOGUE
        for name, kind in references_of(one.model, one.road).items()
        if kind.label is not None
    }
    assert {(one.model, one.column) for _, one in EVERY if one.said is None and one.label} == named


@pytest.mark.parametrize(
    ("model", "one"),
    [(model, one) for model, one in EVERY if one.label or (one.said and one.said.prefix)],
    ids=lambda given: f"{given.model.__tablename__}.{given.column}" if isinstance(given, Referring) else None,
)
def test_a_name_is_cleaned_alike_wherever_it_is_read(model: type[Model], one: Referring) -> None:
    assert model.label is not None
    kind = column(one.model, one.label or one.column).kind
    assert kind == Text(placeholders=True)


def test_what_a_stub_tells_of_stands_in_the_rows_of_every_resource_that_has_it() -> None:
    for resource in CATALOGUE:
        for stub in resource.stubs:
            said = [one.column for one in referring_to(stub.model) if one.said and one.model is resource.model]
            assert said, f"{resource.name} tells of {stub.model.__tablename__} and keeps nothing of it"


def test_words_count_where_no_foreign_key_points_there_instead() -> None:
    (of_details,) = (
        one for _, one in EVERY if one.said and one.model.__tablename__ == "policy_details" and one.column == "csr_name"
    )
    assert of_details.speaks() == "pointing.csr_name IS NOT NULL AND pointing.csr_id IS NULL"
    assert replace(of_details, said=None).points_to("x") == "pointing.csr_name = x.id"
