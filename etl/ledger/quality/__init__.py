"""Findings and their life, and what is known of the shape of the JSON."""
