"""Options, output, progress, errors and signals, shared by all commands."""
