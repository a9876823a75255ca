"""Staging: new versions of records, which of them are current, and what is no longer at the source."""
