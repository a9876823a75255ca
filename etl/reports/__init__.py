"""Queries that people use: the views, made anew with every migration, and questions, one file each."""

from etl.reports.views import create, drop

__all__ = ["create", "drop"]
