"""What belongs to an account and not to a run: its tenants, token, call limit, calls by hour, and limits of lists."""
