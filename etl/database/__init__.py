"""PostgreSQL: connections, deadlines, retries, migrations, backups and the embedded server."""
