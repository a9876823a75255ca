"""Signing in: the token, its renewal, where it is stored, and what a refusal means."""
