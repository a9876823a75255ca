"""The data dictionary: every production table and column, rendered as Markdown."""

import sys
from collections.abc import Iterator
from typing import Any

from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import KeyedColumnElement

from etl.catalogue.resource import Endpoint, Resource
from etl.docstrings import docstring_of
from etl.models import PRODUCTION, links, staging
from etl.models.base import EXPECTED, PRIMARY, REQUIRED, Field, Model, Source, field_in
from etl.models.sources import FirstOf, describe_source
from etl.resources import CATALOGUE
from etl.values import Code, Reference

DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped

#: The meanings of the columns that every production table has.
COMMON = {
    "id": "Primary key, computed from tenant, table and source id, so that references need no lookup.",
    "tenant": "The account that the row belongs to.",
    "source_id": "The QQCatalyst id of the record, as text; generated ids name the record that they come from.",
    "source_created_at": "When the record was created in QQCatalyst.",
    "source_modified_at": "When the record was last modified in QQCatalyst.",
    "version_at": "Time of the version: the source time, or the time of the request. The later version wins.",
    "created_at": "When the row was created here.",
    "updated_at": "When the row was last changed here.",
    "last_synced_at": "When a run last received the record.",
    "deleted_at": "When the record was found deleted in QQCatalyst; NULL while the record is active.",
    "is_placeholder": "True if the row was created from a reference and its own record has not arrived.",
    "content_hash": "Hash of the record that the row was created from.",
    "etl_batch_id": "The run that last wrote the row.",
    "raw_id": "The staged record that the row was created from.",
}


def data_dictionary() -> str:
    """Return the sections of all tables."""
    parts = ["## Columns of every production table\n", *common_columns_table()]
    for title, models in models_by_chapter().items():
        parts += [f"\n## {title}\n", *(line for model in models for line in table_section(model))]
    parts += ["\n## Kinds of value\n", *kinds_list(), "\n## Link tables\n", *link_tables_list()]
    return "\n".join([*parts, "\n## Staging\n", *staging_tables()])


def models_by_chapter() -> dict[str, list[type[Model]]]:
    """Return the production tables by chapter: one per module, titled by the label of its docstring."""
    chapters: dict[str, list[type[Model]]] = {}
    for model in PRODUCTION:
        title = docstring_of(sys.modules[model.__module__]).partition(":")[0]
        chapters.setdefault(title, []).append(model)
    return chapters


def common_columns_table() -> Iterator[str]:
    """Yield the table of the columns that all production tables share."""
    yield "| column | type | meaning |\n| --- | --- | --- |"
    for name, meaning in COMMON.items():
        yield f"| {name} | {sql_type(PRODUCTION[0].__table__.columns[name])} | {meaning} |"


def table_section(model: type[Model]) -> Iterator[str]:
    """Yield the section of one production table: its description, sources and columns."""
    yield f"### {model.__tablename__}\n\n{docstring_of(model)}\n"
    for resource in CATALOGUE:
        if resource.model is model:
            yield f"- {resource_line(resource)}"
    yield f"- Unique within a tenant: {', '.join(model.unique_columns)}.\n"
    yield "| column | type | kind | source | absent | personal |\n| --- | --- | --- | --- | --- | --- |"
    for column in model.__table__.columns:
        if column.name not in COMMON:
            yield column_line(column)
    yield ""


def resource_line(resource: Resource) -> str:
    """Return the line about one resource: its endpoints, parent, and whether it is documented."""
    sources = [f"`{format_endpoint(endpoint)}`" for endpoint in resource.endpoints]
    sources += [
        f"parts of {derivation.resource}{' (where not offered)' if derivation.fallback else ''}"
        for derivation in resource.derived
    ]
    parent = f", once for each of {resource.parent.resource}" if resource.parent else ""
    note = "" if resource.is_documented else "; undocumented: an account may not offer it"
    note += f"; optional: `ETL_RESOURCES=+{resource.name}`" if resource.is_optional else ""
    return f"Resource {resource.name}: {' and '.join(sources)}{parent}{note}."


def format_endpoint(endpoint: Endpoint) -> str:
    """Return an endpoint as method, path and fixed parameters."""
    query = "&".join(f"{name}={value}" for name, value in endpoint.query)
    return f"{endpoint.method} {endpoint.path}{'?' + query if query else ''}"


def column_line(column: KeyedColumnElement[Any]) -> str:
    """Return the table row of one column."""
    field = field_in(column.info)
    if field is None:
        return f"| {column.name} | {sql_type(column)} | | computed after the load | | |"
    absent = {REQUIRED: "**refused**", EXPECTED: "*noted*"}.get(field.presence, "")
    personal = "yes" if field.personal else ""
    described = f"{describe_kind(field)} | {describe_field_source(field)} | {absent} | {personal}"
    return f"| {column.name} | {sql_type(column)} | {described} |"


def sql_type(column: KeyedColumnElement[Any]) -> str:
    """Return the PostgreSQL type of a column, in lower case."""
    return column.type.compile(dialect=DIALECT).lower()


def describe_kind(field: Field) -> str:
    """Return the kind of a field, with the meanings of its codes or the table it refers to."""
    kind = field.kind
    if isinstance(kind, Reference):
        return f"reference to {kind.table}"
    if isinstance(kind, Code):
        return f"{'closed' if kind.closed else 'open'} code: {describe_codes(kind)}"
    return kind.name


def describe_codes(kind: Code) -> str:
    """Return the codes of a vocabulary with their meanings, and which of the meanings are assumed."""
    codes = (
        f"{code} {meaning}{' (assumed)' if code in kind.assumed else ''}" for code, meaning in kind.meanings.items()
    )
    return "; ".join(codes) or "no meaning is known"


def describe_field_source(field: Field) -> str:
    """Return the source of a field's value in the API."""
    suffix = "" if field.data_source == PRIMARY else f" of {field.data_source}"
    return format_source(field.source) + suffix


def format_source(source: Source) -> str:
    """Return the source of a value as text, with paths as code."""
    if isinstance(source, FirstOf):
        return " or ".join(f"`{path}`" for path in source.paths)
    return f"`{source}`" if isinstance(source, str) else describe_source(source)


def kinds_list() -> Iterator[str]:
    """Yield the description of each kind of value that the tables use."""
    columns = (column for model in PRODUCTION for column in model.__table__.columns)
    used = {field.kind.name: field.kind for column in columns if (field := field_in(column.info)) is not None}
    for name in sorted(used):
        yield f"- **{name}**: {used[name].describe()}"


def link_tables_list() -> Iterator[str]:
    """Yield the link tables."""
    for table in links.LINKS:
        yield f"- `{table.name}`: {', '.join(f'{column.name} {sql_type(column)}' for column in table.columns)}"


def staging_tables() -> Iterator[str]:
    """Yield the staging tables: their names, and the columns that they share."""
    yield f"One table per resource: {', '.join(f'`raw.raw_{name}`' for name in sorted(staging.RAW_TABLES))}.\n"
    yield "| column | type |\n| --- | --- |"
    for column in staging.raw_table(min(staging.RAW_TABLES)).columns:
        yield f"| {column.name} | {sql_type(column)} |"
    yield "\nThese resources have no production table; their records are only staged.\n"
    for resource in CATALOGUE:
        if not resource.has_table:
            yield f"- {resource_line(resource)}"
