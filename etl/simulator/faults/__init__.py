"""Faults of the simulator: what goes wrong, when, and at which point of a request."""
