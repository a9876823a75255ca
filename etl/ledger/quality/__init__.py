"""Findings, their lifecycle, and the known shape of the JSON."""
