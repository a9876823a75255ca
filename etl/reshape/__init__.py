"""Turns a record into rows, references, findings and derived records; shared by transform, load and sync."""
