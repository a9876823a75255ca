"""Answers of the simulator: what each call returns for a request."""
