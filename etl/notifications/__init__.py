"""Notifications after a run: incidents and the digest by email, the heartbeat, and metrics."""

from etl.notifications.after_run import after_run

__all__ = ["after_run"]
