"""Connecting to PostgreSQL, deadlines and locks, and the life of the embedded server."""
