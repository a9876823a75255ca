"""Queries that people use: the views, made anew with every migration, and questions, one file each."""

from etl.reports.views import create_views, drop_views

__all__ = ["create_views", "drop_views"]
