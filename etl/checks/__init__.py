"""Checks across records: each is a query for records that are valid individually but contradict others."""

from etl.checks.declarations import CHECKS, Check, get_check

__all__ = ["CHECKS", "Check", "get_check"]
