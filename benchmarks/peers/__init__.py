"""The candidates: separate programs that run in their own environments."""
