"""Queries for people: the views, recreated with every migration, and reports, one file each."""

from etl.reports.views import create_views, drop_views

__all__ = ["create_views", "drop_views"]
