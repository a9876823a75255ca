"""Turns a record into rows, references, findings and derived records; shared by the transform, the load and the sync."""
