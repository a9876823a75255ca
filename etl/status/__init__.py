"""The status of the data for people: freshness, runs, findings, metrics. Only reads."""
