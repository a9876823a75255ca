"""Writes groups of answers into the database: the page writer and its workers."""
