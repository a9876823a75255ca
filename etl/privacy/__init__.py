"""Whose record this is, what names a person, and what readers without the right to personal data see."""
