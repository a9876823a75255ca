"""Erasing a person on request, and proof of it."""
