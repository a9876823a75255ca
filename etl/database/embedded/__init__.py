"""The embedded PostgreSQL server: files, startup, shutdown and users."""
