"""Writes page groups into the database: the page writer and its workers."""
