"""Incidents, and the emails that wait for the mail server."""
