"""The data dictionary: every production table and column, rendered from the declarations as Markdown."""

import inspect
from collections.abc import Iterator
from typing import Any

from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import KeyedColumnElement

from etl.catalogue import Endpoint, Resource
from etl.models import PRODUCTION, links, staging
from etl.models.base import PRIMARY, Field, Model, Source, field_in
from etl.models.sources import FirstOf, in_words
from etl.resources import CATALOGUE
from etl.values import Code, Reference

DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped

#: What the columns mean that every production table has.
COMMON = {
    "id": "Key, computed from tenant, table and source id, so that a reference is known without a look-up.",
    "tenant": "The account whose data this is.",
    "source_id": "The record's id at the source, as text; ids made by the pipeline say what they are made of.",
    "source_created_at": "When the record was created at the source.",
    "source_modified_at": "When it was last modified at the source.",
    "version_at": "Source time, else the time of the request that read it: which of two versions is the newer.",
    "created_at": "When the row was first written here.",
    "updated_at": "When the row was last changed here.",
    "last_synced_at": "When a run last took the record over.",
    "deleted_at": "When the record was found deleted at the source; empty while it lives.",
    "is_placeholder": "True while only other records speak of this one.",
    "content_hash": "Hash of the record that the row was made of.",
    "etl_batch_id": "The run that last wrote the row.",
    "raw_id": "The staged record that the row was made of.",
}

HEAD = """# Data dictionary

Rendered from the declarations by `python -m etl.render`; a test fails when this file is behind them.

*Absent* says what a missing value costs: **refused** (the record does not load), *noted* (a finding), or nothing.
*Personal* columns are masked for readers without the right to personal data. A source such as `LOBList.0.Code` is a
path through the record; `_parent` is the record it was asked for or found in, `_call` what the call implies.
"""


def data_dictionary() -> str:
    """Return the whole dictionary as Markdown, ending in a line break."""
    parts = [HEAD, "## Columns of every production table\n", *common_columns_table()]
    for title, models in models_by_chapter().items():
        parts += [f"\n## {title}\n", *(line for model in models for line in table_section(model))]
    parts += ["\n## Kinds of value\n", *kinds_list(), "\n## Link tables\n", *link_tables_list()]
    return "\n".join([*parts, "\n## Staging\n", *staging_tables()]) + "\n"


def models_by_chapter() -> dict[str, list[type[Model]]]:
    """Return the production tables by chapter: a file of declarations, called what its first words call it."""
    chapters: dict[str, list[type[Model]]] = {}
    for model in PRODUCTION:
        title = (inspect.getdoc(inspect.getmodule(model)) or "").partition(":")[0]
        chapters.setdefault(title, []).append(model)
    return chapters


def common_columns_table() -> Iterator[str]:
    """Yield the table of what all production tables share."""
    yield "| column | type | meaning |\n| --- | --- | --- |"
    for name, meaning in COMMON.items():
        yield f"| {name} | {sql_type(PRODUCTION[0].__table__.columns[name])} | {meaning} |"


def table_section(model: type[Model]) -> Iterator[str]:
    """Yield one production table: its sentence, where it comes from, its columns."""
    yield f"### {model.__tablename__}\n\n{inspect.getdoc(model)}\n"
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
    """Return where a resource's records come from, as one line."""
    sources = [f"`{format_endpoint(endpoint)}`" for endpoint in resource.endpoints]
    sources += [f"parts of {derivation.resource}{' (where not offered)' if derivation.fallback else ''}" for derivation in resource.derived]
    parent = f", once for each of {resource.parent.resource}" if resource.parent else ""
    note = "" if resource.documented else "; unproven: an account may not offer it"
    return f"Resource {resource.name}: {' and '.join(sources)}{parent}{note}."


def format_endpoint(endpoint: Endpoint) -> str:
    """Return an endpoint as method, path and fixed parameters."""
    query = "&".join(f"{name}={value}" for name, value in endpoint.query)
    return f"{endpoint.method} {endpoint.path}{'?' + query if query else ''}"


def column_line(column: KeyedColumnElement[Any]) -> str:
    """Return a column's line of the table."""
    field = field_in(column.info)
    if field is None:
        return f"| {column.name} | {sql_type(column)} | | computed after the load | | |"
    absent = "**refused**" if field.required else "*noted*" if field.expected else ""
    personal = "yes" if field.personal else ""
    return f"| {column.name} | {sql_type(column)} | {describe_kind(field)} | {describe_source(field)} | {absent} | {personal} |"


def sql_type(column: KeyedColumnElement[Any]) -> str:
    """Return a column's PostgreSQL type in lower case."""
    return column.type.compile(dialect=DIALECT).lower()


def describe_kind(field: Field) -> str:
    """Return a field's kind of value, with the meanings of its codes or the table it points to."""
    kind = field.kind
    if isinstance(kind, Reference):
        return f"reference to {kind.table}"
    if isinstance(kind, Code):
        meanings = ", ".join(f"{code} {meaning}" for code, meaning in kind.meanings.items())
        return f"{'closed' if kind.closed else 'open'} code: {meanings}"
    return kind.name


def describe_source(field: Field) -> str:
    """Return where the API keeps a field's value."""
    suffix = "" if field.data_source == PRIMARY else f" of {field.data_source}"
    return format_source(field.source) + suffix


def format_source(source: Source) -> str:
    """Return where a value comes from in words, paths as code."""
    if isinstance(source, FirstOf):
        return " or ".join(f"`{path}`" for path in source.paths)
    return f"`{source}`" if isinstance(source, str) else in_words(source)


def kinds_list() -> Iterator[str]:
    """Yield what each kind of value is, of those that the tables use."""
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
    yield f"One table a resource: {', '.join(f'`raw.raw_{name}`' for name in sorted(staging.RAW_TABLES))}.\n"
    yield "| column | type |\n| --- | --- |"
    for column in staging.raw_table(min(staging.RAW_TABLES)).columns:
        yield f"| {column.name} | {sql_type(column)} |"
