"""The embedded PostgreSQL server: its files, its life, and who uses it."""
