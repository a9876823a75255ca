"""Speed, measured beside what a user would pick instead: one command prepares, one prints a table."""
