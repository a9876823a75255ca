"""Staging: store new versions of records, and mark superseded and missing ones."""
