"""Drift: the shape of the API's JSON, and the changes in it. Pure."""
