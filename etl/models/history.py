"""The tables of schema `history`: every version of a production row except the current one, with both clocks."""

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Table

from etl.models.base import Base, Model

SCHEMA = "history"

#: When a version was valid in QQCatalyst, and when this database showed it; half-open; NULL: the end is not known.
CLOCKS = ("valid_from", "valid_to", "known_from", "known_to")


def past_of(model: type[Model]) -> Table:
    """Return the table for the earlier versions of a table's rows: its columns without constraints, and both clocks.

    Every earlier value must be accepted, and the row that a version referred to may be deleted.
    """
    name = model.__tablename__
    columns = [Column(column.name, column.type.copy()) for column in model.__table__.columns]
    clocks = [Column(clock, DateTime(timezone=True)) for clock in CLOCKS]
    return Table(
        name,
        Base.metadata,
        Column("version", BigInteger, Identity(), primary_key=True),
        *columns,
        *clocks,
        Index(f"ix_{name}_history", "id", "known_to"),
        schema=SCHEMA,
    )


def end_of(table: str, row_id: str) -> str:
    """Return the query for the end of one row's history: until when it was valid, and until when it was shown.

    Versions that were never valid in QQCatalyst (corrected ones and placeholders) end where they begin.
    """
    return f"""
        SELECT max(valid_to) FILTER (WHERE valid_from IS DISTINCT FROM valid_to) AS valid_to, max(known_to) AS known_to
        FROM {SCHEMA}.{table} AS past WHERE past.id = {row_id}
    """
