"""Command line `qqetl`: one file per command in `commands`, one line in `etl.cli.main` to register it."""
