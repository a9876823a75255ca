"""The command line `qqetl`: one file a command, and one line in `etl.cli.main` that registers it."""
