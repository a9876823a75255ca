"""Copies of a database: backup, restore, and the move to another server."""
