"""Notices: who is told what when a run has ended, by mail, by a watchdog's address and by metrics."""

from etl.notifications.after_run import after_run

__all__ = ["after_run"]
