"""The candidates, each a program of its own that runs in an environment of its own."""
