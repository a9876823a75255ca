"""Sense across records: what each record says well and several say badly. One query a check, kept as findings."""

from etl.checks.declarations import CHECKS, Check, get_check

__all__ = ["CHECKS", "Check", "get_check"]
