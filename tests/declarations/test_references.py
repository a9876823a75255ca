"""References between tables: foreign keys, soft references, and the labels that name placeholders."""

from dataclasses import replace

import pytest

from etl.models import PRODUCTION
from etl.models.base import Field, Model, fields_of, references_of
from etl.references import InboundReference, find_inbound_references
from etl.resources import CATALOGUE
from etl.values import Text

ALL_REFERENCES = [(model, reference) for model in PRODUCTION for reference in find_inbound_references(model)]


def column(model: type[Model], name: str) -> Field:
    """Return the field of a column, from any source of its table."""
    sources = {resource.data_source for resource in CATALOGUE if resource.model is model}
    return next(fields[name] for source in sources if name in (fields := fields_of(model, source)))


def test_every_foreign_key_is_a_reference() -> None:
    keys = {
        (resource.model, name, kind.table)
        for resource in CATALOGUE
        for name, kind in references_of(resource.model, resource.data_source).items()
    }
    assert {
        (reference.model, reference.column, model.__tablename__)
        for model, reference in ALL_REFERENCES
        if reference.soft_reference is None
    } == keys


def test_the_label_of_a_reference_has_a_column() -> None:
    labeled = {
        (resource.model, name)
        for resource in CATALOGUE
        for name, kind in references_of(resource.model, resource.data_source).items()
        if kind.label is not None
    }
    assert {
        (reference.model, reference.column)
        for _, reference in ALL_REFERENCES
        if reference.soft_reference is None and reference.label
    } == labeled


@pytest.mark.parametrize(
    ("model", "reference"),
    [
        (model, reference)
        for model, reference in ALL_REFERENCES
        if reference.label or (reference.soft_reference and reference.soft_reference.prefix)
    ],
    ids=lambda value: f"{value.model.__tablename__}.{value.column}" if isinstance(value, InboundReference) else None,
)
def test_a_label_has_the_same_kind_in_every_column(model: type[Model], reference: InboundReference) -> None:
    assert model.label is not None
    kind = column(reference.model, reference.label or reference.column).kind
    assert kind == Text(placeholders=True)


def test_every_reference_stub_is_stored_as_a_soft_reference() -> None:
    for resource in CATALOGUE:
        for stub in resource.stubs:
            columns = [
                reference.column
                for reference in find_inbound_references(stub.model)
                if reference.soft_reference and reference.model is resource.model
            ]
            assert columns, f"{resource.name} refers to {stub.model.__tablename__} but stores no reference"


def test_a_soft_reference_counts_only_without_a_foreign_key() -> None:
    (csr_name,) = (
        reference
        for _, reference in ALL_REFERENCES
        if reference.soft_reference
        and reference.model.__tablename__ == "policy_details"
        and reference.column == "csr_name"
    )
    assert csr_name.build_presence_condition() == "pointing.csr_name IS NOT NULL AND pointing.csr_id IS NULL"
    assert replace(csr_name, soft_reference=None).build_condition("x") == "pointing.csr_name = x.id"
