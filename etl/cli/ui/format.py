"""Numbers, lengths of time and moments as a person reads them, for the commands."""

from etl.status.format import counted, length, listed, moment, number, pace

__all__ = ["counted", "length", "listed", "moment", "number", "pace"]
