"""The old name of `etl.notifications`, kept for one release."""

from etl.notifications import after_run

__all__ = ["after_run"]
